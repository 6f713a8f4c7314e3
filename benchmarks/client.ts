/**
 * Compares Monedula's client for Node with others, all on one Apache Kafka 3.9.1 and one version of Node:
 * `npm run bench:client -- [--quick] [--runs N] [--rows REGEX] [--clients a,b] [--target kafka|monedula]`.
 *
 * Each run is a process of its own; runs go round the clients. Medians stand in the table, and how many times the figure of the
 * best other client ours is. Ratios are what counts: absolute figures move with whatever else the machine does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../test/compat/jars.ts'
import { java } from '../test/compat/java.ts'
import { ToolClass } from '../test/compat/java-tool-runner.ts'
import { run } from '../test/compat/process.ts'
import { median } from './broker/comparison.ts'
import { Contender } from './broker/contender.ts'
import { CLIENTS, type ClientName, type ClientPeers, scriptedClientPeers } from './client/client-peers.ts'
import { type ClientRow, clientRows } from './client/client-rows.ts'

const RUN_TIMEOUT_MS = 300_000
const QUICK_LOAD = 0.2

/** What a run gives; see `scripts/workload.mjs`. */
interface Figures {
  readonly perSecond: number
  readonly cpuPerMillion: number
  readonly peakMiB: number
  readonly p99Ms?: number
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    rows: { type: 'string' },
    clients: { type: 'string', default: CLIENTS.join(',') },
    target: { type: 'string', default: 'kafka' },
  },
})

function chosenRows(): ClientRow[] {
  const pattern = values.rows === undefined ? undefined : new RegExp(values.rows)
  return clientRows.filter(row => (pattern === undefined ? row.quick || !values.quick : pattern.test(row.id)))
}

function chosenClients(): ClientName[] {
  const names = values.clients.split(',')
  const unknown = names.find(name => !CLIENTS.includes(name as ClientName))
  if (unknown !== undefined) throw new Error(`--clients ${unknown}: one of ${CLIENTS.join(', ')}`)
  return names as ClientName[]
}

/** kafkajs has no lz4 of its own. */
const canDo = (client: ClientName, row: ClientRow): boolean => client !== 'kafkajs' || row.codec === 'none'

/** A topic of one partition, filled where the row reads it. */
async function topicFor(row: ClientRow, records: number, broker: Contender): Promise<string> {
  const topic = await broker.newTopic(1)
  if (row.mode !== 'each' && row.mode !== 'batches') return topic
  const properties = [`bootstrap.servers=${broker.bootstrap}`, 'acks=1', `compression.type=${row.codec}`, 'linger.ms=5']
  const load = ['--topic', topic, '--num-records', `${records}`, '--record-size', `${row.recordBytes}`]
  const args = [...load, '--throughput', '-1', '--producer-props', ...properties]
  await java(ToolClass.producerPerformance, args, { timeoutMs: RUN_TIMEOUT_MS })
  return topic
}

async function measure(
  client: ClientName,
  row: ClientRow,
  { peers, broker, topic, records }: { peers: ClientPeers; broker: Contender; topic: string; records: number },
): Promise<Figures> {
  const args = [broker.bootstrap, row.mode, topic, records, row.recordBytes, row.codec].map(String)
  const { stdout } = await run(peers.node, [join(peers.directory, `${client}.mjs`), ...args], {
    timeoutMs: RUN_TIMEOUT_MS,
    env: { MONEDULA: pathToFileURL(join(repositoryRoot, 'dist/src/client/index.js')).href },
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures
}

/** Measures one row and gives the lines of its table. */
async function compareClients(row: ClientRow, peers: ClientPeers, broker: Contender): Promise<string[]> {
  const clients = chosenClients().filter(client => canDo(client, row))
  const records = Math.round(row.records * (values.quick ? QUICK_LOAD : 1))
  const runs = values.runs === undefined ? 3 : Number(values.runs)
  const found = new Map<ClientName, Figures[]>(clients.map(client => [client, []]))
  const shared = await topicFor(row, records, broker)
  const isReader = row.mode === 'each' || row.mode === 'batches'
  for (let round = 0; round < runs; round++) {
    for (let turn = 0; turn < clients.length; turn++) {
      const client = clients[(turn + round) % clients.length]!
      const topic = isReader ? shared : await broker.newTopic(1)
      try {
        const figures = await measure(client, row, { peers, broker, topic, records })
        found.get(client)?.push(figures)
        console.error(`${row.id} run ${round + 1} ${client}: ${JSON.stringify(figures)}`)
      } catch (error) {
        process.exitCode = 1
        console.error(`${row.id} run ${round + 1} ${client} failed: ${(error as Error).message}`)
      }
    }
  }
  return tableOf(row, found)
}

function tableOf(row: ClientRow, found: ReadonlyMap<ClientName, readonly Figures[]>): string[] {
  const medians = [...found].map(([client, runs]) => ({
    client,
    perSecond: median(runs.map(figures => figures.perSecond)),
    cpu: median(runs.map(figures => figures.cpuPerMillion)),
    peak: median(runs.map(figures => figures.peakMiB)),
    p99: median(runs.map(figures => figures.p99Ms ?? Number.NaN)),
  }))
  const peers = medians.filter(({ client }) => client !== 'monedula').map(({ perSecond }) => perSecond)
  const best = Math.max(...peers.filter(Number.isFinite))
  return medians.map(({ client, perSecond, cpu, peak, p99 }, index) => {
    const cells = [
      index === 0 ? row.title : '',
      client,
      Math.round(perSecond).toLocaleString('en-US'),
      (perSecond / best).toFixed(2),
      cpu.toFixed(2),
      peak.toFixed(0),
      Number.isNaN(p99) ? '' : p99.toFixed(2),
    ]
    return `| ${cells.join(' | ')} |`
  })
}

async function main(): Promise<void> {
  if (values.target !== 'kafka' && values.target !== 'monedula') throw new Error(`--target ${values.target}`)
  const peers = await scriptedClientPeers()
  const directory = mkdtempSync(join(tmpdir(), 'monedula-bench-'))
  const broker = new Contender(values.target, values.target, directory)
  await broker.start()
  try {
    const lines = [
      '| workload | client | records/s | of the best other | CPU s a million | peak MiB | p99 ms |',
      '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ]
    for (const row of chosenRows()) lines.push(...(await compareClients(row, peers, broker)))
    console.log(lines.join('\n'))
  } finally {
    await broker.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
}

await main()
