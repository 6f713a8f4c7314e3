import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../platform/index.ts'
import { type PlacementBroker, placeReplicas } from './index.ts'

const brokers = (...racks: (string | null)[]): PlacementBroker[] => racks.map((rack, brokerId) => ({ brokerId, rack }))
const none = (count: number): PlacementBroker[] => brokers(...new Array<null>(count).fill(null))

test('leaders go round, and followers stand one further away with each round', () => {
  // The table in the documentation of Kafka's AdminUtils: 5 brokers, 10 partitions, 3 replicas.
  const placed = placeReplicas({
    brokers: none(5),
    partitions: 10,
    replicationFactor: 3,
    start: 0,
    random: seededRandom(1),
  })
  assert.deepEqual(placed, [
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 4],
    [3, 4, 0],
    [4, 0, 1],
    [0, 2, 3],
    [1, 3, 4],
    [2, 4, 0],
    [3, 0, 1],
    [4, 1, 2],
  ])
})

test('brokers of alternating racks are gone round', () => {
  // As the documentation of AdminUtils has it: the ring of these six is 0, 3, 1, 5, 4, 2.
  const racks = brokers('rack1', 'rack3', 'rack3', 'rack2', 'rack2', 'rack1')
  const placed = placeReplicas({
    brokers: racks,
    partitions: 7,
    replicationFactor: 3,
    start: 0,
    random: seededRandom(1),
  })
  assert.deepEqual(placed, [
    [0, 3, 1],
    [3, 1, 5],
    [1, 5, 4],
    [5, 4, 2],
    [4, 2, 0],
    [2, 0, 3],
    [0, 4, 2],
  ])
})

test('new partitions of a topic go on where the old ones end', () => {
  const whole = { brokers: none(4), replicationFactor: 2, start: 1, random: seededRandom(1) }
  const all = placeReplicas({ ...whole, partitions: 3 })
  const rest = placeReplicas({ ...whole, partitions: 2, firstPartition: 1 })
  assert.deepEqual(rest, all.slice(1))
})

test('every placement is even, without doubles, and over as many racks as it can be', () => {
  const cluster = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(cluster, fc.boolean(), fc.nat(), fc.nat(30), (racks, aware, seed, rounds) => {
      const all = brokers(...racks.map(rack => (aware ? rack : null)))
      const replicationFactor = 1 + (seed % all.length)
      const partitions = all.length * (1 + (rounds % 5))
      const placed = placeReplicas({ brokers: all, partitions, replicationFactor, random: seededRandom(seed) })
      assert.equal(placed.length, partitions)
      const leaders = new Map<number, number>()
      for (const replicas of placed) {
        assert.equal(new Set(replicas).size, replicationFactor)
        leaders.set(replicas[0]!, (leaders.get(replicas[0]!) ?? 0) + 1)
        if (!aware) continue
        const used = new Set(replicas.map(id => racks[id]))
        assert.equal(used.size, Math.min(replicationFactor, new Set(racks).size))
      }
      assert.equal(new Set(leaders.values()).size, 1, 'every broker leads as many')
    }),
    { numRuns: 200 },
  )
})
