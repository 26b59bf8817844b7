import type { ClientConnection } from '../../src/ports/client-connection.js'

/** A connection in memory that keeps what was sent to the client. */
export class RecordingConnection implements ClientConnection {
  readonly sent: Record<string, unknown>[] = []
  readonly pings: string[] = []
  closedWith: number | undefined
  isTerminated = false
  isPaused = false
  bufferedAmount = 0

  send(text: string): void {
    if (this.closedWith === undefined) this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }

  close(code: number): void {
    this.closedWith ??= code
  }

  ping(payload: string): void {
    this.pings.push(payload)
  }

  terminate(): void {
    this.isTerminated = true
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  /** What was sent since the last call. */
  take(): Record<string, unknown>[] {
    return this.sent.splice(0)
  }
}
