/**
 * A client that does nothing wrong, in a process of its own so that an attacker's work does not slow it down:
 * `node bystander.js PORT TOPIC PID`, the last of the broker. It appends a small record every few milliseconds and waits for each
 * answer. For a line `experience` on its standard input it prints, as JSON, what became of the requests since the last one; for a
 * line `count`, how many they are so far.
 */
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { framed, requestFrame } from '../../scripts/fuzz/wire-client.ts'
import { encodeBatch, ProduceRequest } from '../../src/protocol/everything.ts'
import { CpuTime } from './cpu-time.ts'
import { MachineTime } from './machine-time.ts'

/** How a stretch of time was for the bystander. */
export interface Experience {
  readonly answered: number
  /** How long answers took, without what the machine did not give to the broker and to the bystander. */
  readonly p99Ms: number
  /** How long they took by the clock. */
  readonly clock: Percentiles
  /** How much CPU time the broker's event loop took meanwhile, for this request and for all that it put first. */
  readonly work: Percentiles
}

/** What half of some times and 99 of 100 do not exceed. */
export interface Percentiles {
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Wait {
  readonly ms: number
  readonly clockMs: number
  readonly workMs: number
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}

const PAUSE_MS = 4

async function main(port: number, topic: string, pid: number): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => process.exit(1))
  socket.on('close', () => process.exit(1))
  let answered: () => void = () => {}
  socket.on('data', () => answered())
  const machine = new MachineTime(pid)
  const loop = new CpuTime(pid)
  let waits: Wait[] = []
  const experience = (): Experience => {
    const seen = waits
    waits = []
    return {
      answered: seen.length,
      p99Ms: percentiles(seen.map(({ ms }) => ms)).p99Ms,
      clock: percentiles(seen.map(({ clockMs }) => clockMs)),
      work: percentiles(seen.map(({ workMs }) => workMs)),
    }
  }
  createInterface({ input: process.stdin })
    .on('line', line => console.log(JSON.stringify(line === 'count' ? waits.length : experience())))
    .on('close', () => process.exit(0))
  const records = encodeBatch({ records: [{ value: Buffer.alloc(100, 'b') }] })
  const body = { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
  const request = framed(requestFrame(ProduceRequest, 8, { body }))
  for (;;) {
    const takenMs = machine.takenMs
    const workedMs = loop.ms
    const startMs = performance.now()
    const answer = new Promise<void>(resolve => {
      answered = resolve
    })
    socket.write(request)
    await answer
    const clockMs = performance.now() - startMs
    const workMs = loop.ms - workedMs
    waits.push({ ms: Math.max(0, clockMs - (machine.takenMs - takenMs)), clockMs, workMs })
    await sleep(PAUSE_MS)
  }
}

const [port, topic, pid] = process.argv.slice(2)
if (topic !== undefined) await main(Number(port), topic, Number(pid))
