/**
 * Fuzzing of a whole broker with requests. One seed is one broker and one fixed sequence of requests to it: every API in every version
 * that the broker advertises, in random order. The same seed always gives the same bytes, so a failure is replayed by its seed.
 */
import { type Random, seededRandom } from '../../src/platform/index.ts'
import {
  ByteReader,
  decodeMessage,
  RequestHeader,
  requestHeaderVersion,
  type Schema,
} from '../../src/protocol/index.ts'
import { BrokerUnderFuzz } from './broker-under-fuzz.ts'
import { hostileRequest } from './hostile-request.ts'
import { KnownIds } from './plausible-message.ts'
import { readAnswer, type WireClient } from './wire-client.ts'

/** A request that did what no request may do. */
export class FuzzFailure extends Error {
  constructor(why: string, at: { seed: number; number: number; api: string; frame: Uint8Array }) {
    const shown = Buffer.from(at.frame.subarray(0, 1024)).toString('hex')
    const cut = at.frame.length > 1024 ? `... (${at.frame.length} bytes)` : ''
    super(`${why}\n  seed ${at.seed}, request ${at.number}, ${at.api}\n  ${shown}${cut}`)
    this.name = 'FuzzFailure'
  }
}

/** What a run did. */
export interface FuzzReport {
  requests: number
  answered: number
  closed: number
  /** Requests that wait for longer than a run would: their client left. */
  abandoned: number
  /** The longest the event loop was held by one request, in ms of real time, and by which. */
  longestStallMs: number
  longestStallApi: string
}

/** Whatever a request may wait for by what it says, it is given this much simulated time more. */
const GRACE_MS = 30_000
/** Requests that may wait longer than this are left alone by closing their connection. */
const PATIENCE_MS = 90_000
const PROBE_EVERY = 40

interface Case {
  readonly request: Schema
  readonly response: Schema
  readonly version: number
}

export function emptyReport(): FuzzReport {
  return { requests: 0, answered: 0, closed: 0, abandoned: 0, longestStallMs: 0, longestStallApi: '' }
}

/**
 * Runs one seed: `rounds` requests of each API and version.
 * @throws FuzzFailure
 */
export async function fuzz(seed: number, report: FuzzReport, rounds = 1): Promise<void> {
  const random = seededRandom(seed)
  const broker = await BrokerUnderFuzz.start(seed)
  const advertised = await broker.advertised()
  const cases = advertised.flatMap(({ request, response, min, max }) =>
    Array.from({ length: max - min + 1 }, (_, index) => ({ request, response, version: min + index })),
  )
  const run = new FuzzRun({ seed, random, broker, report })
  for (let round = 0; round < rounds; round++) {
    for (const each of shuffled(cases, random)) await run.one(each)
  }
  await run.finish()
}

class FuzzRun {
  readonly #seed: number
  readonly #random: Random
  readonly #broker: BrokerUnderFuzz
  readonly #report: FuzzReport
  readonly #known = new KnownIds()
  #number = 0
  #client: WireClient | undefined
  #last = { api: 'start', frame: new Uint8Array(0) as Uint8Array }
  #rejection: unknown
  readonly #onRejection = (reason: unknown): void => {
    this.#rejection ??= reason
  }

  constructor(parts: { seed: number; random: Random; broker: BrokerUnderFuzz; report: FuzzReport }) {
    this.#seed = parts.seed
    this.#random = parts.random
    this.#broker = parts.broker
    this.#report = parts.report
    process.on('unhandledRejection', this.#onRejection)
    process.on('uncaughtException', this.#onRejection)
  }

  async one({ request, response, version }: Case): Promise<void> {
    this.#number += 1
    const correlationId = this.#number
    const known = this.#known
    const frame = hostileRequest({ schema: request, version, correlationId, random: this.#random, known })
    this.#last = { api: `${request.name} v${version}`, frame }
    this.#report.requests += 1
    if (!this.#client || this.#client.isClosed) this.#client = await this.#broker.connect()
    const client = this.#client
    client.send(frame)
    await this.#answerOrEnd(client, request, version)
    const answer = client.frames.shift()
    if (client.frames.length > 0) this.#fail(`${client.frames.length + 1} answers to one request`)
    if (answer) this.#check(answer, { schema: response, version, correlationId })
    else if (client.isClosed) this.#report.closed += 1
    this.#checkComplaints()
    if (this.#number % PROBE_EVERY === 0) await this.#probe()
  }

  async finish(): Promise<void> {
    try {
      this.#client?.close()
      await this.#probe()
      await this.#broker.stop().catch(error => this.#fail(String(error)))
      this.#checkComplaints()
    } finally {
      process.off('unhandledRejection', this.#onRejection)
      process.off('uncaughtException', this.#onRejection)
    }
  }

  /** Lets time pass until the request is answered, its connection closed, or it has the right to wait on. */
  async #answerOrEnd(client: WireClient, request: Schema, version: number): Promise<void> {
    const { clock } = this.#broker
    const isOver = (): boolean => client.frames.length > 0 || client.isClosed
    await this.#timed(() => clock.settle())
    if (isOver()) return
    const patience = patienceFor(this.#last.frame, request, version)
    if (patience === 'no answer') return
    for (let waitedMs = 0; !isOver() && waitedMs < Math.min(patience, PATIENCE_MS) + GRACE_MS; waitedMs += 500) {
      await this.#timed(() => clock.advance(500))
    }
    if (isOver()) return
    if (patience <= PATIENCE_MS) this.#fail(`no answer after ${patience + GRACE_MS} ms, and the connection is open`)
    this.#report.abandoned += 1
    client.close()
    await clock.settle()
  }

  async #timed(work: () => Promise<void>): Promise<void> {
    const startMs = performance.now()
    await work()
    const tookMs = performance.now() - startMs
    if (tookMs <= this.#report.longestStallMs) return
    this.#report.longestStallMs = tookMs
    this.#report.longestStallApi = `${this.#last.api} of seed ${this.#seed}`
  }

  #check(frame: Buffer, expected: Parameters<typeof readAnswer>[1]): void {
    this.#report.answered += 1
    try {
      this.#known.learn(readAnswer(frame, expected))
    } catch (error) {
      this.#fail(`the answer cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #checkComplaints(): void {
    if (this.#rejection !== undefined) {
      const reason = this.#rejection
      this.#fail(`nobody caught: ${reason instanceof Error ? reason.stack : String(reason)}`)
    }
    const [complaint] = this.#broker.complaints
    if (complaint !== undefined) this.#fail(complaint)
  }

  async #probe(): Promise<void> {
    try {
      await this.#broker.probe()
    } catch (error) {
      this.#fail(`a well-behaved client fails: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #fail(why: string): never {
    throw new FuzzFailure(why, { seed: this.#seed, number: this.#number, ...this.#last })
  }
}

/** How long, in ms, the broker may keep a request by what the request says: its largest timeout. */
function patienceFor(frame: Uint8Array, schema: Schema, version: number): number | 'no answer' {
  try {
    const reader = new ByteReader(frame)
    decodeMessage(RequestHeader, requestHeaderVersion(schema, version), reader)
    const message = decodeMessage(schema, version, reader) as { readonly acks?: number }
    if (message.acks === 0) return 'no answer'
    const waits = Object.entries(message).filter(([name]) => /(timeout|wait)Ms$/i.test(name))
    // Members of a group wait for each other as long as the slowest member may take.
    const ofOthers = schema.name === 'JoinGroup' || schema.name === 'SyncGroup' ? Number.POSITIVE_INFINITY : 0
    return Math.max(0, ofOthers, ...waits.map(([, value]) => Number(value)))
  } catch {
    return 0
  }
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const result = [...values]
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    ;[result[index], result[other]] = [result[other]!, result[index]!]
  }
  return result
}
