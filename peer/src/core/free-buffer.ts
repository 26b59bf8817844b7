/**
 * Gives the memory under an array that a script made back at once, where the platform can: otherwise megabytes of
 * what nobody looks at any more wait for the garbage collector. All views of that buffer are empty from then on.
 */
export function freeBuffer({ buffer }: Uint8Array<ArrayBuffer>): void {
  const { transfer } = buffer as ArrayBuffer & { readonly transfer?: (newLength: number) => ArrayBuffer }
  transfer?.call(buffer, 0)
}
