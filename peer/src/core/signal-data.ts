/** A session description that simple-peer may be given. */
export interface DescriptionSignal {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

/** One trickled ICE candidate. */
export interface CandidateSignal {
  readonly type: 'candidate'
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
  readonly usernameFragment?: string
}

/** The other side has named all of its candidates. */
export interface EndOfCandidatesSignal {
  readonly type: 'end-of-candidates'
}

/** What two ends of one connection attempt tell each other through the mediators. */
export type PeerSignal = DescriptionSignal | CandidateSignal | EndOfCandidatesSignal
