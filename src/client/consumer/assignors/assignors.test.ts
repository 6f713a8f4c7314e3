import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partitionKey, type TopicPartition } from '../../topic-partition.ts'
import type { GroupAssignment, GroupSubscription, MemberSubscription, PartitionAssignor } from './assignor.ts'
import { rangeAssignor } from './range-assignor.ts'
import { roundRobinAssignor } from './round-robin-assignor.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky-assignors.ts'

const ALL = [rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor]
const STICKY = [stickyAssignor, cooperativeStickyAssignor]

const TOPICS = ['a', 'b', 'c', 'd'] as const
const groups = fc
  .record({
    counts: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }),
    subscriptions: fc.array(fc.subarray([...TOPICS], { minLength: 1 }), { minLength: 1, maxLength: 7 }),
  })
  .map(({ counts, subscriptions }) => groupOf(Object.fromEntries(TOPICS.map((t, i) => [t, counts[i]!])), subscriptions))

function groupOf(counts: Readonly<Record<string, number>>, subscriptions: readonly (readonly string[])[]) {
  const members = new Map(subscriptions.map((topics, index) => [`member-${index}`, memberOf(topics)]))
  const wanted = new Set(subscriptions.flat())
  const partitionCounts = new Map(Object.entries(counts).filter(([topic, count]) => wanted.has(topic) && count > 0))
  return { members, partitionCounts }
}

function memberOf(topics: readonly string[]): MemberSubscription {
  return { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null }
}

/** The group as it comes to the next rebalance, with what its members got in this one. */
function after(group: GroupSubscription, assigned: GroupAssignment, assignor: PartitionAssignor, generationId = 1) {
  const members = [...group.members].map(([memberId, member]): [string, MemberSubscription] => {
    const ownedPartitions = assigned.get(memberId) ?? []
    const userData = assignor.userData?.(ownedPartitions, generationId) ?? null
    const owned = assignor.name === 'sticky' ? {} : { ownedPartitions, generationId }
    return [memberId, { ...member, ...owned, userData }]
  })
  return { ...group, members: new Map(members) }
}

function plain(assigned: GroupAssignment): Record<string, string> {
  return Object.fromEntries([...assigned].map(([id, partitions]) => [id, partitions.map(partitionKey).join(' ')]))
}

function ownersOf(assigned: GroupAssignment): Map<string, string[]> {
  const owners = new Map<string, string[]>()
  for (const [memberId, partitions] of assigned) {
    for (const one of partitions) owners.set(partitionKey(one), [...(owners.get(partitionKey(one)) ?? []), memberId])
  }
  return owners
}

/** Rebalances until nothing changes, as members do that give up what they must. */
function settled(assignor: PartitionAssignor, group: GroupSubscription): GroupAssignment {
  let assigned = assignor.assign(group)
  for (let round = 1; round < 4; round++) {
    const next = assignor.assign(after(group, assigned, assignor, round))
    if (JSON.stringify(plain(next)) === JSON.stringify(plain(assigned))) return assigned
    assigned = next
  }
  return assigned
}

for (const assignor of ALL) {
  test(`${assignor.name}: every partition goes to exactly one member, which subscribes to its topic`, () => {
    fc.assert(
      fc.property(groups, group => {
        const assigned = assignor.assign(group)
        const owners = ownersOf(assigned)
        for (const [topic, count] of group.partitionCounts) {
          for (let partition = 0; partition < count; partition++) {
            const [owner, ...others] = owners.get(partitionKey({ topic, partition })) ?? []
            assert.ok(owner !== undefined && group.members.get(owner)?.topics.includes(topic))
            assert.deepEqual(others, [])
          }
        }
        const total = [...group.partitionCounts.values()].reduce((sum, count) => sum + count, 0)
        assert.equal(owners.size, total)
      }),
    )
  })
}

for (const assignor of STICKY) {
  test(`${assignor.name}: no partition could go to a subscriber that has two fewer than its owner`, () => {
    fc.assert(
      fc.property(groups, group => {
        const assigned = settled(assignor, group)
        const load = (memberId: string): number => assigned.get(memberId)?.length ?? 0
        for (const [memberId, partitions] of assigned) {
          for (const { topic } of partitions) {
            for (const [other, { topics }] of group.members) {
              if (topics.includes(topic)) assert.ok(load(memberId) < load(other) + 2)
            }
          }
        }
      }),
    )
  })

  test(`${assignor.name}: nothing moves while nothing changes, and a member that comes takes only what it gets`, () => {
    fc.assert(
      fc.property(groups, fc.subarray([...TOPICS], { minLength: 1 }), (group, topics) => {
        const before = settled(assignor, group)
        assert.deepEqual(plain(assignor.assign(after(group, before, assignor))), plain(before))
        const { members, ...rest } = after(group, before, assignor)
        const grown = { ...rest, members: new Map([...members, ['newcomer', memberOf(topics)]]) }
        const assigned = assignor.assign(grown)
        const counted = (topic: string): boolean => group.partitionCounts.has(topic)
        if (new Set([...group.members.values(), memberOf(topics)].map(m => m.topics.filter(counted).join())).size > 1)
          return
        for (const [memberId, partitions] of assigned) {
          if (memberId === 'newcomer') continue
          const had = new Set(before.get(memberId)?.map(partitionKey))
          assert.deepEqual(
            partitions.filter(one => !had.has(partitionKey(one))),
            [],
          )
        }
      }),
    )
  })
}

test('cooperative-sticky: a partition that changes hands is first given up, and then given on', () => {
  fc.assert(
    fc.property(groups, fc.subarray([...TOPICS], { minLength: 1 }), (group, topics) => {
      const before = settled(cooperativeStickyAssignor, group)
      const { members, ...rest } = after(group, before, cooperativeStickyAssignor)
      const grown = { ...rest, members: new Map([...members, ['newcomer', memberOf(topics)]]) }
      const first = cooperativeStickyAssignor.assign(grown)
      const had = ownersOf(before)
      for (const [key, [owner]] of ownersOf(first)) assert.deepEqual(had.get(key) ?? [owner], [owner])
      const owners = ownersOf(settled(cooperativeStickyAssignor, after(grown, first, cooperativeStickyAssignor, 2)))
      for (const key of had.keys()) assert.equal(owners.get(key)?.length, 1)
    }),
  )
})

test('of two members that claim a partition the one of the newer generation keeps it', () => {
  const topics = ['a']
  const claim: TopicPartition[] = [{ topic: 'a', partition: 0 }]
  const members = new Map([
    ['old', { ...memberOf(topics), ownedPartitions: claim, generationId: 3 }],
    ['new', { ...memberOf(topics), userData: stickyAssignor.userData!(claim, 4) }],
    ['older', { ...memberOf(topics), userData: stickyAssignor.userData!(claim, 2) }],
  ])
  const assigned = stickyAssignor.assign({ members, partitionCounts: new Map([['a', 1]]) })
  assert.deepEqual(plain(assigned), { old: '', new: 'a:0', older: '' })
})

test('user data that cannot be read counts as nothing owned', () => {
  for (const userData of [Buffer.of(1), Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0]), Buffer.alloc(0)]) {
    const members = new Map([['one', { ...memberOf(['a']), userData }]])
    const group = { members, partitionCounts: new Map([['a', 2]]) }
    for (const assignor of STICKY) assert.deepEqual(plain(assignor.assign(group)), { one: 'a:0 a:1' })
  }
})

test('range and round robin spread as Java does', () => {
  const group = groupOf({ a: 3, b: 3 }, [
    ['a', 'b'],
    ['a', 'b'],
  ])
  assert.deepEqual(plain(rangeAssignor.assign(group)), { 'member-0': 'a:0 a:1 b:0 b:1', 'member-1': 'a:2 b:2' })
  assert.deepEqual(plain(roundRobinAssignor.assign(group)), { 'member-0': 'a:0 a:2 b:1', 'member-1': 'a:1 b:0 b:2' })
  const uneven = groupOf({ a: 1, b: 2, c: 3 }, [['a'], ['a', 'b'], ['a', 'b', 'c']])
  assert.deepEqual(plain(roundRobinAssignor.assign(uneven)), {
    'member-0': 'a:0',
    'member-1': 'b:0',
    'member-2': 'b:1 c:0 c:1 c:2',
  })
})
