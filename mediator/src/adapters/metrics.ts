import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { Mediation } from '../core/mediation.js'
import type { NetworkCounts } from '../network/index.js'

/** The numbers of one mediator in the text format of Prometheus. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
}

/** Reads `mediation` and the network's `counts` when it is asked, so that counting costs a message nothing here. */
export function createMetrics(mediation: Mediation, counts: () => NetworkCounts | undefined): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { tally } = mediation
  addGauge(registry, 'connections', 'Open WebSocket connections', () => mediation.sessions)
  addGauge(registry, 'peers', 'Peers with a complete handshake', () => mediation.roster.size)
  addGauge(registry, 'hashes', 'Full hashes that have a seeder here', () => mediation.swarms.size)
  addGauge(registry, 'announcements', 'Pairs of peer and full hash', () => mediation.swarms.pairs)
  addGauge(registry, 'open_questions', 'get_peers without a final answer', () => mediation.questions.open)
  addGauge(registry, 'links', 'Proved replication connections', () => counts()?.links ?? 0)
  addGauge(registry, 'known_mediators', 'Mediators known to be alive', () => counts()?.mediators ?? 0)
  addGauge(registry, 'dht_nodes', 'Nodes in the DHT routing table', () => counts()?.dhtNodes ?? 0)
  addGauge(registry, 'directory_records', 'Records kept for others', () => counts()?.records ?? 0)
  addGauge(
    registry,
    'clock_offset_seconds',
    'How far the clocks of other mediators are ahead; 0 while they agree',
    () => (counts()?.clockOffsetMs ?? 0) / 1000
  )
  addGauge(registry, 'provided_hashes', 'Full hashes in the directory', () => counts()?.provided ?? 0)
  addCounter(
    registry,
    'opened_total',
    ['Connections opened', 'of'],
    () => new Map([['all', tally.connections]])
  )
  addCounter(registry, 'messages_total', ['Messages received in good form', 'type'], () => tally.messages)
  addCounter(registry, 'errors_total', ['Error messages sent', 'code'], () => tally.errors)
  addCounter(registry, 'closes_total', ['Connections closed from this side', 'code'], () => tally.closes)
  addCounter(registry, 'refused_upgrades_total', ['Upgrades refused', 'reason'], () => tally.refusedUpgrades)
  addCounter(registry, 'signals_total', ['Signals passed on', 'way'], () => tally.signals)
  addCounter(registry, 'peers_named_total', ['Peers named in answers', 'where'], () => tally.named)
  addCounter(registry, 'lookups_total', ['Questions asked of other mediators', 'end'], () => tally.lookups)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  const gauge: Gauge = new Gauge({
    name: `mayfly_mediator_${name}`,
    help,
    registers: [registry],
    collect: () => gauge.set(read())
  })
}

function addCounter(
  registry: Registry,
  name: string,
  [help, label]: readonly [help: string, label: string],
  read: () => ReadonlyMap<string, number>
): void {
  const counter: Counter = new Counter({
    name: `mayfly_mediator_${name}`,
    help,
    labelNames: [label],
    registers: [registry],
    collect: () => {
      counter.reset()
      for (const [value, total] of read()) counter.inc({ [label]: value }, total)
    }
  })
}
