import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ClusterDelta, ClusterImage, MetadataCache, type PartitionImage, type TopicImage } from './index.ts'
import { PersistentMap } from './persistent-map.ts'

const partition = (leader: number): PartitionImage => ({
  replicas: [leader],
  addingReplicas: [],
  removingReplicas: [],
  leader,
  leaderEpoch: 0,
  isr: [leader],
  controllerEpoch: 1,
  isRecovering: false,
  partitionEpoch: 0,
})
const topic = (name: string, topicId: string, partitions = 1): TopicImage => ({
  name,
  topicId,
  partitions: Array.from({ length: partitions }, () => partition(0)),
})

test('an image never changes, and the next one has the change', () => {
  const before = ClusterImage.empty('c')
  const { image, delta } = before
    .change()
    .putTopic(topic('t', 'id1', 2))
    .setController(0, 5)
    .build()
  assert.equal(before.topic('t'), undefined)
  assert.equal(before.controllerId, -1)
  assert.equal(image.partition('t', 1)?.leader, 0)
  assert.equal(image.partition('t', 2), undefined)
  assert.equal(image.topicById('id1')?.name, 't')
  assert.deepEqual(delta.topics, [{ name: 't', before: undefined, after: image.topic('t') }])
  assert.equal(delta.controllerChanged, true)
})

test('a topic that was deleted and made again is found by its new id alone', () => {
  const first = ClusterImage.empty().change().putTopic(topic('t', 'old')).build().image
  const { image, delta } = first.change().removeTopic('t').putTopic(topic('t', 'new')).build()
  assert.equal(image.topicById('old'), undefined)
  assert.equal(image.topicById('new')?.name, 't')
  assert.equal(delta.topics[0]?.before?.topicId, 'old')
  assert.equal(delta.topics[0]?.after?.topicId, 'new')
  const gone = image.change().removeTopic('t').build()
  assert.equal(gone.image.topicById('new'), undefined)
  assert.equal(gone.delta.topics[0]?.after, undefined)
  assert.equal(gone.image.topicCount, 0)
})

test('what comes and goes within one change is no change', () => {
  const { delta } = ClusterImage.empty().change().putTopic(topic('t', 'a')).removeTopic('t').build()
  assert.deepEqual(delta.topics, [])
})

test('partitions, brokers and settings are replaced one by one', () => {
  const first = ClusterImage.empty()
    .change()
    .putTopic(topic('t', 'a', 3))
    .build().image
  const { image, delta } = first
    .change()
    .putPartitions('t', new Map([[1, partition(7)]]))
    .putConfig('topics/t', new Map([['retention.ms', '5']]))
    .putBroker({ brokerId: 7, epoch: 9, endpoints: [], rack: null, jmxPort: -1, features: {}, timestampMs: 0 })
    .build()
  assert.deepEqual(
    image.topic('t')?.partitions.map(({ leader }) => leader),
    [0, 7, 0],
  )
  assert.equal(image.config('topics', 't').get('retention.ms'), '5')
  assert.deepEqual([...delta.configs], ['topics/t'])
  assert.deepEqual([...delta.brokers], [7])
  const last = image.change().putConfig('topics/t', new Map()).removeBroker(7).build().image
  assert.equal(last.config('topics', 't').size, 0)
  assert.equal(last.brokers.size, 0)
})

test('who subscribes late is told of everything at once', () => {
  const cache = new MetadataCache()
  cache.publish(builder => builder.putTopic(topic('t', 'a')))
  const deltas: ClusterDelta[] = []
  const unsubscribe = cache.subscribe((image, delta) => {
    assert.equal(image, cache.image())
    deltas.push(delta)
  })
  cache.publish(builder => builder.putTopic(topic('u', 'b')))
  unsubscribe()
  cache.publish(builder => builder.removeTopic('u'))
  assert.deepEqual(
    deltas.map(({ topics }) => topics.map(({ name }) => name)),
    [['t'], ['u']],
  )
})

test('a persistent map is as a map, and its former versions stay', () => {
  const key = fc.integer({ min: 0, max: 40 }).map(String)
  const steps = fc.array(fc.tuple(key, fc.option(fc.integer(), { nil: undefined })), { maxLength: 200 })
  fc.assert(
    fc.property(steps, changes => {
      const model = new Map<string, number>()
      let map = PersistentMap.empty<number>()
      const versions: { readonly map: PersistentMap<number>; readonly model: Map<string, number> }[] = []
      for (const [name, value] of changes) {
        if (value === undefined) model.delete(name)
        else model.set(name, value)
        map = map.with(name, value)
        versions.push({ map, model: new Map(model) })
      }
      for (const version of versions) {
        assert.equal(version.map.size, version.model.size)
        assert.deepEqual(new Map(version.map.entries()), version.model)
      }
    }),
    { numRuns: 30 },
  )
})
