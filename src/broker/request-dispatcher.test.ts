import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetadataCache } from '../metadata/index.ts'
import type { ServerConnection } from '../network/index.ts'
import { type Logger, seededRandom, silentLogger, systemClock } from '../platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  ErrorCode,
  encoderOf,
  KafkaError,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../protocol/index.ts'
import { MetadataRequest } from '../protocol/messages/03-metadata.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/19-create-topics.ts'
import type { BrokerServices } from './broker-services.ts'
import { type Handler, handler } from './handler.ts'
import { metadata } from './handlers/03-metadata.ts'
import { apiVersions } from './handlers/18-api-versions.ts'
import { RequestDispatcher } from './request-dispatcher.ts'

const connection = {
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  listenerName: 'PLAINTEXT',
  account: <T>(work: () => T) => work(),
  inPieces: <T>(work: Iterator<unknown, T>) => allOf(work),
  hold() {},
} as unknown as ServerConnection

/** Pieces in which the last long work was done. */
let pieces = 0

function allOf<T>(work: Iterator<unknown, T>): T {
  for (pieces = 0; ; pieces++) {
    const { done, value } = work.next()
    if (done) return value
  }
}

function heartbeat(handle: Handler['handle']): Handler {
  return handler(HeartbeatRequest, HeartbeatResponse, {
    handle: handle as never,
    failed: error => ({ errorCode: error.errorCode }),
  })
}

function dispatcher(
  handle: Handler['handle'] = () => ({}),
  { others = [] }: { readonly others?: readonly Handler[] } = {},
): { dispatcher: RequestDispatcher; lines: string[] } {
  const lines: string[] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (_fields, message) => lines.push(message),
    error: (_fields, message) => lines.push(message),
    child: () => logger,
  }
  const handlers = [heartbeat(handle), apiVersions, ...others]
  const services = {
    clock: systemClock,
    handlers,
    metadata: new MetadataCache(),
    disconnected() {},
  } as unknown as BrokerServices
  const observer = { answered() {} }
  return {
    dispatcher: new RequestDispatcher({ handlers, services, logger, observer, isVerbose: false }),
    lines,
  }
}

function frame(schema: Schema, version: number, body: object): Uint8Array {
  const writer = new ByteWriter()
  const header = { requestApiKey: schema.apiKey, requestApiVersion: version, correlationId: 7, clientId: 'test' }
  encoderOf(RequestHeader, requestHeaderVersion(schema, version))(writer, header)
  encoderOf(schema, version)(writer, body)
  return writer.finish()
}

function body(reply: unknown, schema: Schema, version: number): Record<string, unknown> {
  assert.ok(Array.isArray(reply), `a reply and not ${String(reply)}`)
  const bytes = Buffer.concat(reply)
  assert.equal(bytes.readInt32BE(), bytes.length - 4)
  const reader = new ByteReader(bytes, 4)
  const header = decodeMessage(ResponseHeader, responseHeaderVersion(schema, version), reader)
  assert.equal(header.correlationId, 7)
  const message = decodeMessage(schema, version, reader)
  assert.equal(reader.remaining, 0)
  return message
}

test('a request is decoded, handled and answered under its correlation id, in every version', async () => {
  for (let version = 0; version <= 4; version += 1) {
    const { dispatcher: subject } = dispatcher(request => {
      assert.equal((request as { groupId: string }).groupId, 'g')
      return { errorCode: 27 }
    })
    const reply = await subject.process(frame(HeartbeatRequest, version, { groupId: 'g' }), connection)
    assert.equal(body(reply, HeartbeatResponse, version).errorCode, 27)
  }
})

test('ApiVersions lists exactly the handlers and their versions', async () => {
  const { dispatcher: subject } = dispatcher()
  const request = frame(ApiVersionsRequest, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' })
  const answer = body(await subject.process(request, { ...connection } as ServerConnection), ApiVersionsResponse, 4)
  assert.deepEqual(answer.apiKeys, [
    { apiKey: 12, minVersion: 0, maxVersion: 4 },
    { apiKey: 18, minVersion: 0, maxVersion: 4 },
  ])
})

test('an unknown version of ApiVersions is answered in version 0 with the supported range (KIP-511)', async () => {
  const { dispatcher: subject } = dispatcher()
  const request = Buffer.from(frame(ApiVersionsRequest, 4, {}))
  request.writeInt16BE(99, 2)
  const answer = body(await subject.process(request, connection), ApiVersionsResponse, 0)
  assert.deepEqual(answer.errorCode, ErrorCode.UNSUPPORTED_VERSION)
  assert.deepEqual(answer.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
})

test('a client name that is not one is refused with INVALID_REQUEST', async () => {
  const { dispatcher: subject } = dispatcher()
  const request = frame(ApiVersionsRequest, 3, { clientSoftwareName: 'bad name\n', clientSoftwareVersion: '1' })
  const answer = body(await subject.process(request, connection), ApiVersionsResponse, 3)
  assert.equal(answer.errorCode, ErrorCode.INVALID_REQUEST)
})

test('what cannot be answered closes the connection with one line that says why', async () => {
  const unknownKey = Buffer.from(frame(HeartbeatRequest, 0, { groupId: 'g' }))
  unknownKey.writeInt16BE(999, 0)
  const unknownVersion = Buffer.from(frame(HeartbeatRequest, 0, { groupId: 'g' }))
  unknownVersion.writeInt16BE(5, 2)
  const negativeKey = Buffer.from(unknownKey)
  negativeKey.writeInt16BE(-1, 0)
  const whole = frame(HeartbeatRequest, 0, { groupId: 'g' })
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(3), /3 bytes has no header/],
    [unknownKey, /unknown API key 999/],
    [negativeKey, /unknown API key -1/],
    [unknownVersion, /unsupported version 5 of Heartbeat/],
    [whole.subarray(0, whole.length - 1), /Closing connection/],
  ]
  for (const [bytes, line] of cases) {
    const { dispatcher: subject, lines } = dispatcher()
    assert.equal(await subject.process(bytes, connection), 'close')
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, line)
  }
})

test('bytes behind the body are passed over, as some clients send them', async () => {
  const { dispatcher: subject } = dispatcher()
  const request = Buffer.concat([frame(HeartbeatRequest, 3, { groupId: 'g' }), Buffer.alloc(3)])
  assert.equal(body(await subject.process(request, connection), HeartbeatResponse, 3).errorCode, 0)
})

test('a KafkaError becomes the API s own error response, anything else UNKNOWN_SERVER_ERROR', async () => {
  const cases: [() => object | Promise<object>, number][] = [
    [
      () => {
        throw new KafkaError('NOT_COORDINATOR')
      },
      ErrorCode.NOT_COORDINATOR,
    ],
    [() => Promise.reject(new KafkaError('UNKNOWN_MEMBER_ID')), ErrorCode.UNKNOWN_MEMBER_ID],
    [() => Promise.reject(new TypeError('a defect')), ErrorCode.UNKNOWN_SERVER_ERROR],
  ]
  for (const [handle, code] of cases) {
    const { dispatcher: subject } = dispatcher(handle)
    const reply = await subject.process(frame(HeartbeatRequest, 1, { groupId: 'g' }), connection)
    assert.equal(body(reply, HeartbeatResponse, 1).errorCode, code)
  }
})

test('no bytes make the dispatcher throw or reject', async () => {
  const random = seededRandom(20)
  const { dispatcher: subject } = dispatcher()
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Buffer.from(frame(HeartbeatRequest, random.below(5), { groupId: 'group', memberId: 'member' }))
    for (let flips = random.below(6); flips >= 0; flips -= 1) bytes[random.below(bytes.length)] = random.below(256)
    const reply = await subject.process(bytes.subarray(0, 1 + random.below(bytes.length)), connection)
    assert.ok(reply === 'close' || Array.isArray(reply))
  }
})

test('a late answer of thousands of entries is encoded entry by entry, and is whole', async () => {
  const topics = Array.from({ length: 2_000 }, (_, index) => ({ name: `topic-${index}`, numPartitions: index }))
  const creation = handler(CreateTopicsRequest, CreateTopicsResponse, {
    answersInTurns: true,
    handle: async () => ({ topics }),
    failed: () => ({}),
  })
  const { dispatcher: subject } = dispatcher(undefined, { others: [creation] })
  const reply = await subject.process(frame(CreateTopicsRequest, 5, {}), connection)
  const answered = body(reply, CreateTopicsResponse, 5).topics as { name: string }[]
  assert.deepEqual(
    answered.map(({ name }) => name),
    topics.map(({ name }) => name),
  )
  assert.equal(pieces, topics.length)
})

test('a request of more than a million array elements is not even decoded', async () => {
  const { dispatcher: subject, lines } = dispatcher(undefined, { others: [metadata] })
  const many = frame(MetadataRequest, 1, { topics: Array.from({ length: 2 ** 20 + 1 }, () => ({ name: '' })) })
  assert.equal(await subject.process(many, connection), 'close')
  assert.match(lines.join(), /too many array elements/)
})

test('an answer that is made in pieces counts as it grows, and ends where there is no memory for more or nobody to send it to', async () => {
  const topics = Array.from({ length: 2_000 }, (_, index) => ({ name: `topic-${index}` }))
  const creation = handler(CreateTopicsRequest, CreateTopicsResponse, {
    answersInTurns: true,
    handle: async () => ({ topics }),
    failed: () => ({}),
  })
  for (const [end, reply] of [
    ['isReplyMemorySpent', 'close'],
    ['isClosed', 'none'],
  ] as const) {
    const { dispatcher: subject, lines } = dispatcher(undefined, { others: [creation] })
    const held: number[] = []
    const peer = {
      ...connection,
      hold: (bytes: number) => held.push(bytes),
      get [end]() {
        return held.length === 3
      },
    } as unknown as ServerConnection
    assert.equal(await subject.process(frame(CreateTopicsRequest, 5, {}), peer), reply)
    assert.equal(held.length, 3)
    assert.ok(held.every(bytes => bytes > 10))
    assert.equal(lines.length, reply === 'close' ? 1 : 0)
  }
})
