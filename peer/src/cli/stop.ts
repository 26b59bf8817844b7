/** A signal that aborts at the first SIGTERM, SIGINT or SIGHUP. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(name))
  }
  return controller.signal
}
