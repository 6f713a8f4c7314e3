import type { Producer, ProducerRecord } from '../client/index.ts'
import { nodeDisk, readWholeFile } from '../platform/index.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { inputLines, LINE_FEED } from './input-lines.ts'
import { LineReader } from './line-reader.ts'
import type { NameValue } from './option-values.ts'
import { fromJson } from './record-json.ts'
import { type ClusterOptions, producerOptions, toCluster } from './to-cluster.ts'

/** Options of `monedula produce`, as the command line gives them. */
export interface ProduceOptions extends ClusterOptions {
  /** Whole files, each the value of a record, instead of lines. */
  readonly file?: readonly string[]
  /** Files of lines, instead of standard input. */
  readonly lines?: readonly string[]
  readonly key?: string
  readonly keySeparator?: string
  readonly parseHeaders?: boolean
  readonly nullMarker?: string
  /** Properties of Kafka's line reader, over the options that mean the same. */
  readonly property?: readonly NameValue[]
  readonly json?: boolean
  readonly header?: readonly NameValue[]
  readonly partition?: number
  /** Milliseconds since 1970. */
  readonly timestamp?: number
  readonly compression?: string
  readonly acks?: string
}

/** Chunks of input whose records wait for their acknowledgement at the most. */
const MAX_UNDER_WAY = 8
const FILE_CHUNK_BYTES = 64 * 1024

/**
 * `monedula produce`: publishes lines, JSON or files, and resolves when all are acknowledged. A signal ends the input: what was
 * read is still published, but for a line whose end has not come; where it was files,
 * the exit code is that of the signal.
 */
export async function produce(topic: string, options: ProduceOptions): Promise<void> {
  const input = new Input()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      input.cut()
      // Somebody who types ends so what he types. Of files something is missing then.
      if (options.file ?? options.lines) process.exitCode = EXIT_CODES[signal]
    })
  }
  const records = options.file ? wholeFiles(options.file) : linesAsRecords(options, input)
  const toSend = withOptions(options)
  const { compression, acks } = options
  await using producer = toCluster(options).producer({
    ...(compression !== undefined && { 'compression.type': compression as 'gzip' }),
    ...(acks !== undefined && { acks: acks as 'all' }),
    ...producerOptions(options),
  })
  const sending = new Sending(producer, topic, input)
  try {
    for await (const chunk of records) {
      await sending.send(chunk.map(toSend))
      if (input.isCut) break
    }
  } finally {
    await sending.end()
  }
}

/** Where records come from: it ends by itself, or is cut by a signal or a failure. */
class Input {
  #isCut = false

  get isCut(): boolean {
    return this.#isCut
  }

  cut(): void {
    this.#isCut = true
    process.stdin.destroy()
  }
}

/** Sends chunks of records in order, not too many at once. What failed is thrown at a later call, at the latest by `end`. */
class Sending {
  readonly #producer: Producer
  readonly #topic: string
  readonly #input: Input
  #underWay: Promise<unknown>[] = []

  constructor(producer: Producer, topic: string, input: Input) {
    this.#producer = producer
    this.#topic = topic
    this.#input = input
  }

  async send(records: readonly ProducerRecord[]): Promise<void> {
    const sent = this.#producer.sendBatch(this.#topic, records)
    // It is thrown later, in its turn; meanwhile nobody has to go on typing.
    sent.catch(() => this.#input.cut())
    this.#underWay.push(sent)
    if (this.#underWay.length >= MAX_UNDER_WAY) await this.#underWay.shift()
  }

  async end(): Promise<void> {
    await Promise.all(this.#underWay.splice(0))
  }
}

async function* wholeFiles(paths: readonly string[]): AsyncGenerator<readonly ProducerRecord[], void, undefined> {
  for (const path of paths) yield [{ value: readWholeFile(nodeDisk, path) }]
}

async function* linesAsRecords(
  options: ProduceOptions,
  input: Input,
): AsyncGenerator<readonly ProducerRecord[], void, undefined> {
  const reader = options.json ? undefined : new LineReader(lineProperties(options))
  const read = (line: Buffer): ProducerRecord => reader?.read(line) ?? fromJson(line.toString('utf8'))
  const chunks = options.lines ? chunksOf(options.lines) : standardInput(input)
  for await (const lines of inputLines(chunks, () => !input.isCut)) {
    const records: ProducerRecord[] = []
    try {
      for (const line of lines) records.push(read(line))
    } catch (error) {
      // What was good before it is sent all the same, wherever the input happened to be cut into chunks.
      if (records.length > 0) yield records
      throw error
    }
    yield records
  }
}

function lineProperties({
  keySeparator,
  parseHeaders,
  nullMarker,
  property = [],
}: ProduceOptions): readonly NameValue[] {
  const short: NameValue[] = []
  if (keySeparator !== undefined) short.push(['parse.key', 'true'], ['key.separator', keySeparator])
  if (parseHeaders) short.push(['parse.headers', 'true'])
  if (nullMarker !== undefined) short.push(['null.marker', nullMarker])
  return [...short, ...property]
}

async function* standardInput(input: Input): AsyncGenerator<Uint8Array, void, undefined> {
  if (process.stdin.isTTY) console.error('Each line is a record. End with Ctrl-D.')
  try {
    for await (const chunk of process.stdin) yield chunk
  } catch (error) {
    if (!input.isCut) throw error
  }
}

async function* chunksOf(paths: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const path of paths) {
    const file = nodeDisk.open(path, { readOnly: true })
    try {
      let last: number = LINE_FEED
      for (let position = 0; ; ) {
        const chunk = Buffer.allocUnsafe(FILE_CHUNK_BYTES)
        const length = file.read(chunk, 0, chunk.length, position)
        if (length === 0) break
        position += length
        last = chunk[length - 1]!
        yield chunk.subarray(0, length)
      }
      // The last line of a file does not go on in the next file.
      if (last !== LINE_FEED) yield Buffer.from('\n')
    } finally {
      file.close()
    }
  }
}

/** Adds to a record what options say of all records. */
function withOptions(options: ProduceOptions): (record: ProducerRecord) => ProducerRecord {
  const { key, header = [], partition, timestamp } = options
  const extra = {
    ...(key !== undefined && { key }),
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestamp }),
  }
  const headers = header.map(([name, value]) => ({ key: name, value }))
  if (headers.length === 0) return record => ({ ...record, ...extra })
  return record => ({ ...record, ...extra, headers: [...headersOf(record), ...headers] })
}

const headersOf = ({ headers }: ProducerRecord): readonly { key: string; value: string | Uint8Array | null }[] =>
  Array.isArray(headers) ? headers : []
