import type { MediatorId, PeerId } from '@mayfly/common'

/** A peer as the tie-break sees it. The mediator is unknown until a mediator has taken us. */
export interface GlareSide {
  readonly peerId: PeerId
  readonly mediatorId: MediatorId | undefined
}

/**
 * Whether our offer stands when both sides offered at the same time: the one of the lower peer id does,
 * then the one of the lower mediator id. Both sides come to the same answer without another message.
 */
export function ourOfferStands(us: GlareSide, them: GlareSide): boolean {
  if (us.peerId !== them.peerId) return us.peerId < them.peerId
  return (us.mediatorId ?? '') < (them.mediatorId ?? '')
}
