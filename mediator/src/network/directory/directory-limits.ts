/** Every bound of the directory in the DHT, with its default. See docs/PROTOCOL.md#directory-in-the-dht. */
export interface DirectoryLimits {
  /** Records of other mediators that one node keeps. */
  readonly capacity: number
  /** Of these, records that one mediator may have: a quarter, so that none fills a node. */
  readonly perMediator: number
  /** Records under one key; further mediators of the same content are found when these expire. */
  readonly perKey: number
  /** Of these, records that came from one address: who has many keys has one address. */
  readonly perKeyAndAddress: number
  /** Milliseconds that a record lives after it was issued. */
  readonly lifetimeMs: number
  /** Milliseconds that a record may come from the future, or the clocks of two mediators may differ. */
  readonly clockSkewMs: number
  /** Milliseconds between two announcements of the same record, give or take a fifth: half of its lifetime. */
  readonly republishMs: number
  /** Datagrams with records that one address may send per second for ever, and at once. */
  readonly storesPerSecond: number
  readonly storesBurst: number
  /** Records in one datagram: what fits beside a URL of 60 bytes. */
  readonly perDatagram: number
  /** Bytes of records in one datagram: no fragments on any ordinary path. */
  readonly datagramBytes: number
  /** Mediators that one question finds. */
  readonly perLookup: number
  /** Bytes of a public URL. */
  readonly maxUrlBytes: number
}

export const DEFAULT_DIRECTORY_LIMITS: DirectoryLimits = {
  capacity: 262_144,
  perMediator: 65_536,
  perKey: 128,
  perKeyAndAddress: 8,
  lifetimeMs: 20 * 60_000,
  clockSkewMs: 5 * 60_000,
  republishMs: 10 * 60_000,
  storesPerSecond: 20,
  storesBurst: 200,
  perDatagram: 30,
  datagramBytes: 1_200,
  perLookup: 20,
  maxUrlBytes: 200
}
