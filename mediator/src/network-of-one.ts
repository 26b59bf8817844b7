import { CLOSE_CODE, type MediatorId } from '@mayfly/common'
import type { Connection, Network, ReplicationAcceptor, ReplicationSession } from './ports/network.js'

/** The network of a mediator that knows no other: nobody is elsewhere, and whoever claims to be is turned away. */
export class NetworkOfOne implements Network, ReplicationAcceptor {
  readonly mediatorId: MediatorId
  readonly ready = true
  readonly alone = true

  constructor(mediatorId: MediatorId) {
    this.mediatorId = mediatorId
  }

  provide(): void {
    // Nobody is there to be told.
  }

  findPeers(): Promise<void> {
    return Promise.resolve()
  }

  route(): boolean {
    return false
  }

  mediatorsNear(): readonly string[] {
    return []
  }

  accept(connection: Connection): ReplicationSession {
    connection.close(CLOSE_CODE.unauthorized, 'this mediator stands alone')
    return { receive: () => undefined, closed: () => undefined }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
