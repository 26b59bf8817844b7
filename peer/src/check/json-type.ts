/** Whether visitors take what has this `Content-Type` for JSON. */
export function isJsonType(type: string): boolean {
  return /^application\/([\w.+-]+\+)?json *(;|$)/i.test(type)
}
