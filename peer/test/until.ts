/** Resolves as soon as `condition` holds, looking at every turn of the event loop; rejects after `ms`. */
export async function until(condition: () => boolean, ms = 8_000): Promise<void> {
  const deadline = Date.now() + ms
  do {
    await new Promise<void>(resolve => setTimeout(resolve, 1))
    if (condition()) return
  } while (Date.now() < deadline)
  throw new Error(`did not come true within ${ms} ms: ${condition.toString()}`)
}
