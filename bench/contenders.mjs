/** Everyone who is compared, in the order of the tables. */
export const CONTENDERS = ['mayfly', 'bare', 'webtorrent', 'webtorrent-memory', 'http']

/** A number that decides about the bytes of a content, new every time. */
export function newKey() {
  return 1 + Math.floor(Math.random() * 0xffff_fffe)
}
