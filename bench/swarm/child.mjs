import { spawn } from 'node:child_process'
import { cpuSecondsOf } from '../cpu-seconds.mjs'

/** A program of ours at a place of an emulated network. Every message from it goes to the one who waits for it. */
export class Child {
  #process
  #heard = []
  #waiting
  #ended
  /** Told every message that has a `signal`. */
  onsignal = () => {}

  /** Settles when it says that it is ready. */
  static async start(network, place, program) {
    const child = new Child(network.commandAt(place, [process.execPath, program]))
    await child.next()
    return child
  }

  constructor([program, ...args]) {
    this.#process = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#process.on('message', message => {
      if (message.signal !== undefined) this.onsignal(message)
      else this.#hear(message)
    })
    this.#ended = new Promise(resolve => {
      this.#process.once('error', error => resolve(error.message))
      this.#process.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
    })
    void this.#ended.then(how => this.#hear({ error: `a process of the swarm ended: ${how}` }))
  }

  tell(message) {
    this.#process.send(message)
  }

  /** The next message that is no signal. Rejects with what went wrong there. */
  async next() {
    const message = this.#heard.shift() ?? (await new Promise(resolve => (this.#waiting = resolve)))
    if (message.error !== undefined) throw new Error(message.error)
    return message
  }

  /** Seconds of CPU that it has used. */
  cpuSeconds() {
    return cpuSecondsOf(this.#process.pid)
  }

  /** Settles when it has ended. */
  async stop() {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  #hear(message) {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#heard.push(message)
    else waiting(message)
  }
}
