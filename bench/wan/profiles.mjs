/** Links by name: kilobits per second in both directions, microseconds one way, milliseconds that a queue holds. */
export const PROFILES = {
  lan: { up: 100_000, down: 100_000, delay: 100, queue: 200 },
  cable: { up: 10_000, down: 50_000, delay: 12_500, queue: 200 },
  dsl: { up: 1_000, down: 8_000, delay: 20_000, queue: 200 },
  server: { up: 1_000_000, down: 1_000_000, delay: 1_000, queue: 200 }
}
