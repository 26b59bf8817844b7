/** The part of hyperdht 6.34.0 (with dht-rpc 6.27.0 below it) that `hyperdht.ts` uses. Names with `_` are private there. */
declare module '@hyperswarm/dht' {
  import type { EventEmitter } from 'node:events'

  interface Address {
    host: string
    port: number
  }

  interface Node extends Address {
    id: Buffer | null
  }

  export interface Reply {
    from: Node
    to: Address
    token: Buffer | null
    error: number
    value: Buffer | null
  }

  export interface Request {
    command: number
    target: Buffer | null
    token: Buffer | null
    value: Buffer | null
    from: Node
    reply(value: Uint8Array | null, options?: { token?: boolean; closerNodes?: boolean }): void
  }

  interface Query extends EventEmitter {
    closestReplies: Reply[]
    finished(): Promise<void>
    destroy(): void
  }

  export interface Plugin {
    name: string
    version: number
    onregister(dht: HyperDHT): void
    onrequest(plugin: { command: number; value: Buffer | null }, request: Request): void
    onpersistent(): void
    destroy(): void
  }

  interface Options {
    /** A port, or a range `[from, to)`; the empty range picks a free one. */
    port: number | [number, number]
    host: string
    anyPort: boolean
    ephemeral: boolean
    firewalled: boolean
    bootstrap: string[]
    maxWindow: number
  }

  class HyperDHT extends EventEmitter {
    constructor(options: Options)
    readonly bootstrapped: boolean
    readonly ephemeral: boolean
    readonly destroyed: boolean
    readonly nodes: { readonly length: number }
    readonly table: { readonly k: number }
    readonly io: { readonly networkInterfaces: { destroy(): void } }
    readonly _nat: { add(host: string, port: number): void }
    bind(): Promise<void>
    fullyBootstrapped(): Promise<void>
    address(): Address
    register(name: string, plugin: Plugin): void
    onrequest(request: Request): boolean
    refresh(): void
    toArray(options?: { limit?: number }): Address[]
    query(
      question: { target: Uint8Array; command: number; value: Uint8Array | null },
      options?: { retries?: number }
    ): Query
    request(
      question: {
        token: Uint8Array | null
        target: Uint8Array | null
        command: number
        value: Uint8Array | null
      },
      to: Address
    ): Promise<Reply>
    destroy(options?: { force?: boolean }): Promise<void>
    _updateNetworkState(): Promise<boolean>
  }

  export default HyperDHT
}
