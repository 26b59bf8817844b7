import { LOOK_FURTHER_MS, type Lookup, type Question, type Questions } from './core/questions.js'
import type { Network } from './ports/network.js'

/** Asks the network for seeders on behalf of the core. */
export class Lookups implements Lookup {
  readonly #network: Pick<Network, 'findPeers' | 'alone'>
  readonly #limit: number
  readonly #running = new Map<Question, AbortController>()
  #questions: Questions | undefined
  #clock: () => number = () => 0

  /** `limit`: peers wanted from each mediator. */
  constructor(network: Pick<Network, 'findPeers' | 'alone'>, limit: number) {
    this.#network = network
    this.#limit = limit
  }

  /** Answers go to `questions`. To be called once, before any question comes. */
  answerTo(questions: Questions, clock: () => number): void {
    this.#questions = questions
    this.#clock = clock
  }

  get worthwhile(): boolean {
    return this.#network.alone !== true
  }

  start(question: Question): void {
    const controller = new AbortController()
    this.#running.set(question, controller)
    const { fullHash, connected } = question
    const options = { limit: this.#limit, deadlineMs: LOOK_FURTHER_MS, signal: controller.signal, connected }
    this.#network
      .findPeers(fullHash, options, peers => this.#questions?.answer(question, peers, this.#clock()))
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(question)
        this.#questions?.settle(question)
      })
      .catch(() => undefined)
  }

  stop(question: Question): void {
    this.#running.get(question)?.abort()
    this.#running.delete(question)
  }
}
