/** What becomes of the marks in `/admin/delete_topics`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZnodePath } from '../metadata/index.ts'
import { ZERO_UUID } from '../protocol/index.ts'
import { openController, openStore, topic } from './controller.fixture.ts'

test('a deletion stays marked until all is done that follows from it', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  await controller.createTopics([topic('a')])
  let wasMarked = false
  metadata.onPrepare(async () => {
    wasMarked = (await zooKeeper.exists(ZnodePath.deleteTopic('a'))) !== undefined
    return []
  })
  await controller.deleteTopics([{ name: 'a', topicId: ZERO_UUID }])
  assert.ok(wasMarked)
  assert.equal(await zooKeeper.exists(ZnodePath.deleteTopic('a')), undefined)
})

test('a deletion stays marked for the next controller while something of the topic cannot be deleted', async () => {
  const store = await openStore()
  const { controller, metadata, zooKeeper } = await openController({ store })
  await controller.createTopics([topic('a'), topic('b')])
  metadata.onPrepare(async ({ going = [] }) => going.map(({ name }) => name).filter(name => name === 'a'))
  await controller.deleteTopics(['a', 'b'].map(name => ({ name, topicId: ZERO_UUID })))
  assert.equal(metadata.image().topic('a'), undefined)
  assert.ok(await zooKeeper.exists(ZnodePath.deleteTopic('a')))
  assert.equal(await zooKeeper.exists(ZnodePath.deleteTopic('b')), undefined)
  await zooKeeper.close()
  const next = await openController({ store })
  assert.equal(await next.zooKeeper.exists(ZnodePath.deleteTopic('a')), undefined)
})

test('a topic made anew is not the one that a mark left behind was meant for', async () => {
  const store = await openStore()
  const { controller, zooKeeper } = await openController({ store })
  await zooKeeper.create(ZnodePath.deleteTopic('a'), null, { mode: 'persistent' })
  await controller.createTopics([topic('a')])
  await zooKeeper.close()
  const next = await openController({ store })
  assert.ok(next.metadata.image().topic('a'))
})

test('where deletion is disabled a marked topic lives on, and one whose deletion was cut off ends', async () => {
  const store = await openStore()
  const { controller, metadata, zooKeeper } = await openController({ store })
  await controller.createTopics([topic('whole'), topic('half')])
  metadata.onPrepare(async () => ['half'])
  await controller.deleteTopics([{ name: 'half', topicId: ZERO_UUID }])
  await zooKeeper.create(ZnodePath.deleteTopic('whole'), null, { mode: 'persistent' })
  await zooKeeper.close()
  const cutOff: string[] = []
  const next = await openController({
    store,
    properties: { 'delete.topic.enable': 'false' },
    onPrepare: async change => {
      cutOff.push(...(change.cutOff ?? []))
      return []
    },
  })
  assert.ok(next.metadata.image().topic('whole'))
  assert.deepEqual(cutOff, ['half'])
  const { children } = await next.zooKeeper.getChildren(ZnodePath.deleteTopics)
  assert.deepEqual(children, [])
})
