/** Where a node of the DHT sends and receives. */
export interface DhtAddress {
  readonly host: string
  readonly port: number
}

/** One node's answer. */
export interface DhtReply {
  readonly from: DhtAddress & { readonly id: Uint8Array | null }
  /** What a later request to that node has to carry to show that it comes from where it says. */
  readonly token: Uint8Array | null
  readonly value: Uint8Array | null
}

/** A request of another node, as the directory sees it. */
export interface DhtRequest {
  readonly command: number
  readonly target: Uint8Array | null
  readonly value: Uint8Array | null
  /** The address of the sender, and whether a round trip to it has been proved by a token. */
  readonly from: DhtAddress
  readonly proved: boolean
  /** Answers. With `walk`, also names the nodes that this one knows nearest to the target. */
  reply(value: Uint8Array | null, walk?: boolean): void
}

/** What `request` sends. */
export interface DhtQuestion {
  readonly command: number
  readonly target?: Uint8Array
  readonly value?: Uint8Array | null
  readonly token?: Uint8Array | null
}

/** A walk through the DHT towards a target, under way. */
export interface DhtQuery {
  /** Settles, never rejects, when all that could be asked have answered, or when stopped. */
  readonly finished: Promise<void>
  /** The answers of the nodes closest to the target, closest first, so far. */
  readonly closest: readonly DhtReply[]
  stop(): void
}

/** A node of the DHT: what the directory needs of it. */
export interface DhtNode {
  /** UDP port that it is bound to. */
  readonly port: number
  /** Other nodes in its routing table. */
  readonly size: number
  /** Nodes that make a full set of closest ones. */
  readonly closestCount: number
  /** True when others can find it and it knows others, or when it is the first of its network. */
  readonly ready: boolean
  /** True when it was started without a bootstrap address. */
  readonly first: boolean
  /** Nodes of the routing table, at most `limit`, most recently heard of first. */
  addresses(limit: number): DhtAddress[]
  /** Answers requests from now on. `handle` must not throw. */
  serve(handle: (request: DhtRequest) => void): void
  /** Asks nodes nearer and nearer to `target`; `onReply` gets every answer as it comes. */
  query(target: Uint8Array, command: number, onReply: (reply: DhtReply) => void): DhtQuery
  /** Asks one node. `undefined`: no answer, or an error for an answer. Never rejects. */
  request(question: DhtQuestion, to: DhtAddress): Promise<DhtReply | undefined>
  /** Calls `listener` whenever the routing table has got another node. */
  onNode(listener: (address: DhtAddress) => void): void
  /** Frees the socket. Never rejects. */
  close(): Promise<void>
}
