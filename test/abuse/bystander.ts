/**
 * A client that does nothing wrong, in a process of its own so that an attacker's work does not slow it down:
 * `node bystander.js PORT TOPIC`. It appends a small record every few milliseconds and waits for each answer. For each
 * line on its standard input it prints, as JSON, what became of the requests since the line before.
 */
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { framed, requestFrame } from '../../scripts/fuzz/wire-client.ts'
import { encodeBatch, ProduceRequest } from '../../src/protocol/everything.ts'

/** How a stretch of time was for the bystander. */
export interface Experience {
  readonly answered: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const PAUSE_MS = 4

async function main(port: number, topic: string): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => process.exit(1))
  socket.on('close', () => process.exit(1))
  let answered: () => void = () => {}
  socket.on('data', () => answered())
  let latencies: number[] = []
  createInterface({ input: process.stdin })
    .on('line', () => {
      const sorted = latencies.sort((a, b) => a - b)
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.POSITIVE_INFINITY
      const seen = { answered: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }
      console.log(JSON.stringify(seen satisfies Experience))
      latencies = []
    })
    .on('close', () => process.exit(0))
  const records = encodeBatch({ records: [{ value: Buffer.alloc(100, 'b') }] })
  const body = { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
  const request = framed(requestFrame(ProduceRequest, 8, { body }))
  for (;;) {
    const startMs = performance.now()
    const answer = new Promise<void>(resolve => {
      answered = resolve
    })
    socket.write(request)
    await answer
    latencies.push(performance.now() - startMs)
    await sleep(PAUSE_MS)
  }
}

const [port, topic] = process.argv.slice(2)
if (topic !== undefined) await main(Number(port), topic)
