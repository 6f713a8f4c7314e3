import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeWithVersion } from '../../protocol/index.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../protocol/messages/data/consumer-protocol.ts'
import { partitionKey } from '../topic-partition.ts'
import { rangeAssignor } from './assignors/range-assignor.ts'
import { roundRobinAssignor } from './assignors/round-robin-assignor.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './assignors/sticky-assignors.ts'
import { readAssignment, readSubscription, readSubscriptions } from './embedded-protocol.ts'

const ASSIGNORS = [rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor]
const COUNTS = new Map([
  ['a', 4],
  ['b', 1],
  ['c', 0],
])
const KEYS = [...COUNTS].flatMap(([topic, count]) =>
  Array.from({ length: count }, (_, partition) => partitionKey({ topic, partition })),
)

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const topic = fc.oneof(fc.constantFrom('a', 'b', 'c', 'a:1', ''), fc.string({ maxLength: 5 }))
const partitions = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), int32), { maxLength: 5 })
const claims = fc.array(fc.record({ topic, partitions }), { maxLength: 4 })
const garbage = fc.uint8Array({ maxLength: 60 })

/** What a member with nothing but bad intentions, or another program altogether, may send. */
const valid = fc
  .record({
    version: fc.integer({ min: 0, max: 3 }),
    topics: fc.array(topic, { maxLength: 6 }),
    userData: fc.option(garbage),
    ownedPartitions: claims,
    generationId: int32,
  })
  .map(({ version, ...message }) => encodeWithVersion(ConsumerProtocolSubscription, version, message))
const damaged = fc
  .record({ bytes: valid, at: fc.nat(), value: int32, end: fc.nat() })
  .map(({ bytes, at, value, end }) => {
    const copy = Buffer.from(bytes)
    if (copy.length >= 4) copy.writeInt32BE(value, at % (copy.length - 3))
    return copy.subarray(0, copy.length - (end % 3))
  })
const anything = fc.oneof(valid, damaged, garbage)

test('whatever members send, the leader gives each partition to one member that asked for its topic, or to nobody', () => {
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 6 }), blobs => {
      const metadata = blobs.map((bytes, index) => ({ memberId: `member-${index}`, metadata: bytes }))
      const members = readSubscriptions(metadata, () => undefined)
      const isWanted = (name: string): boolean => [...members.values()].some(({ topics }) => topics.includes(name))
      const partitionCounts = new Map([...COUNTS].filter(([name, count]) => count > 0 && isWanted(name)))
      for (const assignor of ASSIGNORS) {
        const given = Array.from(assignor.assign({ members, partitionCounts }), ([memberId, places]) => {
          for (const place of places) {
            assert.ok(members.get(memberId)?.topics.includes(place.topic), `${memberId} got ${partitionKey(place)}`)
          }
          return places.map(partitionKey)
        }).flat()
        assert.equal(new Set(given).size, given.length, 'a partition has two owners')
        const wanted = KEYS.filter(key => partitionCounts.has(key.slice(0, 1)))
        assert.deepEqual(
          given.filter(key => !wanted.includes(key)),
          [],
        )
        // What is to change hands waits for the next rebalance.
        if (assignor !== cooperativeStickyAssignor) assert.equal(given.length, wanted.length)
      }
    }),
    { numRuns: 500 },
  )
})

test('a member that cannot be read wants nothing and is named, the others are served', () => {
  const good = encodeWithVersion(ConsumerProtocolSubscription, 3, { topics: ['a', 'a'] })
  const named: string[] = []
  const members = readSubscriptions(
    [
      { memberId: 'good', metadata: good },
      { memberId: 'bad', metadata: Buffer.from('{"topics":["a"]}') },
      { memberId: 'silent', metadata: new Uint8Array(0) },
    ],
    memberId => named.push(memberId),
  )
  assert.deepEqual(named, ['bad', 'silent'])
  assert.deepEqual(
    [...members.values()].map(({ topics }) => topics),
    [['a'], [], []],
  )
})

test('a subscription and an assignment of a version to come are read as far as they are known', () => {
  const of = (bytes: Uint8Array): Uint8Array => {
    const later = Buffer.concat([bytes, Buffer.from('and more')])
    later.writeInt16BE(9)
    return later
  }
  const subscription = readSubscription(of(encodeWithVersion(ConsumerProtocolSubscription, 3, { topics: ['a'] })))
  assert.deepEqual(subscription?.topics, ['a'])
  const assigned = encodeWithVersion(ConsumerProtocolAssignment, 3, {
    assignedPartitions: [{ topic: 'a', partitions: [1] }],
  })
  assert.deepEqual(readAssignment(of(assigned)), [{ topic: 'a', partition: 1 }])
})

test('any bytes are an assignment, or none', () => {
  const of = fc
    .record({ version: fc.integer({ min: 0, max: 3 }), assignedPartitions: claims })
    .map(({ version, assignedPartitions }) =>
      encodeWithVersion(ConsumerProtocolAssignment, version, { assignedPartitions }),
    )
  fc.assert(
    fc.property(fc.oneof(of, anything), bytes => {
      const read = readAssignment(bytes)
      // A partition takes four bytes: what is read can only be what is there.
      assert.ok(read === undefined || read.length * 4 <= bytes.length)
    }),
    { numRuns: 1_000 },
  )
})

test('claims of more partitions than anybody has are not taken in', () => {
  const count = 2 ** 20 + 1
  const bytes = Buffer.alloc(2 + 4 + 3 + 4 + 4 * count + 4)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(1, 6)
  bytes.write('a', 8)
  bytes.writeInt32BE(count, 9)
  assert.equal(readAssignment(bytes), undefined)
})
