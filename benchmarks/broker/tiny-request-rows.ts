/** How many requests of one small record a single connection gets answered, and what each costs the broker. */
import { join } from 'node:path'
import {
  encodeBatch,
  encodeMessageBytes,
  ProduceRequest,
  RequestHeader,
  requestHeaderVersion,
} from '../../src/protocol/everything.ts'
import { repositoryRoot } from '../../test/compat/jars.ts'
import { java } from '../../test/compat/java.ts'
import { type Row, withCpu } from './row.ts'

const PRODUCE_VERSION = 9
const RECORD_BYTES = 100

/** A whole frame: Produce v9 with acks 1 and one record of 100 bytes. */
function produceFrame(topic: string): Buffer {
  const records = encodeBatch({ records: [{ value: new Uint8Array(RECORD_BYTES).fill(0x78), timestamp: Date.now() }] })
  const header = encodeMessageBytes(RequestHeader, requestHeaderVersion(ProduceRequest, PRODUCE_VERSION), {
    requestApiKey: ProduceRequest.apiKey,
    requestApiVersion: PRODUCE_VERSION,
    correlationId: 0,
    clientId: 'tiny',
  })
  const body = encodeMessageBytes(ProduceRequest, PRODUCE_VERSION, {
    acks: 1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  })
  const length = Buffer.alloc(4)
  length.writeInt32BE(header.length + body.length)
  return Buffer.concat([length, header, body])
}

/** Where the error code of the one partition stands in the answer: id, tags, two counts, the name and the index before it. */
const errorPosition = (topic: string): number => 4 + 1 + 1 + (1 + topic.length) + 1 + 4

function tinyRow(inFlight: number): Row {
  return {
    id: `tiny-${inFlight}`,
    title: `one 100 B record a request, one connection, ${inFlight} in flight`,
    figures: [
      { name: 'rate', unit: 'thousand requests/s', digits: 1 },
      { name: 'broker CPU', unit: 'µs/request', digits: 1 },
    ],
    ownsBroker: false,
    quick: true,
    measure: async (contender, scale) => {
      const topic = await contender.newTopic(1)
      const seconds = Math.max(2, 6 * scale.load)
      const position = `${errorPosition(topic)}`
      const args = [
        `${contender.broker.port}`,
        `${inFlight}`,
        `${seconds}`,
        position,
        produceFrame(topic).toString('hex'),
      ]
      const program = join(repositoryRoot, 'benchmarks/broker/java/TinyRequests.java')
      const [output, cpu] = await withCpu(
        contender,
        async () => (await java(program, args, { flags: ['-Xmx64m'] })).stdout,
      )
      const [rate = Number.NaN, requests = Number.NaN] = output.trim().split(' ').map(Number)
      return [rate / 1_000, (cpu * 1e6) / requests]
    },
  }
}

/** Every measurement of small requests. */
export const tinyRequestRows: readonly Row[] = [tinyRow(1), tinyRow(5)]
