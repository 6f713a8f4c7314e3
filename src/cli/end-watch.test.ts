import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../platform/index.ts'
import { EndWatch } from './end-watch.ts'

const PARTITIONS = [0, 1].map(partition => ({ topic: 'orders', partition }))

/** A consumer that stands where it is told. */
class StandingConsumer {
  assignment: readonly { readonly topic: string; readonly partition: number }[] = PARTITIONS
  readonly positions: (number | undefined)[] = [undefined, undefined]
  isClosed = false
  readonly endOffsets = async () => PARTITIONS.map(one => ({ ...one, offset: 5, timestamp: -1, leaderEpoch: -1 }))
  readonly position = ({ partition }: { readonly partition: number }) => this.positions[partition]
  readonly close = async () => {
    this.isClosed = true
  }
}

test('a consumer is closed when every partition that it has is read to its end', async () => {
  const clock = new SimulatedClock()
  const consumer = new StandingConsumer()
  const watch = new EndWatch(consumer, PARTITIONS, clock)
  await clock.advance(100)
  consumer.positions[0] = 5
  await clock.advance(100)
  assert.equal(consumer.isClosed, false)
  consumer.positions[1] = 6
  await clock.advance(100)
  assert.equal(consumer.isClosed, true)
  await watch.done
})

test('a consumer that gets no further for a minute is closed with the reason, not before', async () => {
  const clock = new SimulatedClock()
  const consumer = new StandingConsumer()
  const failure = assert.rejects(
    new EndWatch(consumer, PARTITIONS, clock).done,
    /nothing new of orders-0, orders-1 for 60 s/,
  )
  for (let position = 0; position < 3; position++) {
    consumer.positions[0] = position
    await clock.advance(50_000)
    assert.equal(consumer.isClosed, false)
  }
  await clock.advance(11_000)
  assert.equal(consumer.isClosed, true)
  await failure
})

test('a member of a group that is left without partitions hears that others have them', async () => {
  const clock = new SimulatedClock()
  const consumer = new StandingConsumer()
  consumer.assignment = []
  const failure = assert.rejects(
    new EndWatch(consumer, PARTITIONS, clock).done,
    /other members of the group have them all/,
  )
  await clock.advance(61_000)
  await failure
})
