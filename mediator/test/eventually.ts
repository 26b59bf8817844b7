/** Resolves when `isTrue` gives true; rejects with `what` when it has not after `deadlineMs`. */
export async function eventually(what: string, isTrue: () => boolean, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
