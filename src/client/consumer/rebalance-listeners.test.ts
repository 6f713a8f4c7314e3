import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { ConsumerMetrics } from './consumer-metrics.ts'
import { RebalanceListeners } from './rebalance-listeners.ts'

const WHO = { clientId: 'reader', groupId: 'readers' }
const PLACES = [0, 1].map(partition => ({ topic: 'orders', partition }))

test('a program is told once that partitions go, and all who let go of them wait until it is done', async () => {
  const told: string[] = []
  let finish = (): void => undefined
  const finished = new Promise<void>(resolve => {
    finish = resolve
  })
  const tell = (what: string) => (partitions: readonly TopicPartition[]) => {
    told.push(`${what} ${partitions.map(partitionKey)}`)
    return finished
  }
  const options = { onRevoked: tell('revoked'), onLost: tell('lost') }
  const listeners = new RebalanceListeners(options, WHO, new ConsumerMetrics(), assert.fail)
  listeners.assigned(PLACES)
  const order: string[] = []
  const both = [
    listeners.revoked(PLACES).then(() => order.push('rebalance')),
    listeners.revoked(PLACES).then(() => order.push('close')),
  ]
  listeners.lost(PLACES)
  order.push('the program')
  finish()
  await Promise.all(both)
  assert.deepEqual(order, ['the program', 'rebalance', 'close'])
  assert.deepEqual(told, ['revoked orders:0,orders:1'])
  listeners.assigned(PLACES.slice(1))
  listeners.lost(PLACES)
  await listeners.revoked(PLACES)
  assert.deepEqual(told, ['revoked orders:0,orders:1', 'lost orders:1'])
})

test('what a listener throws is not tried again, whatever its code', async () => {
  const fail = (): never => {
    throw new KafkaError('REQUEST_TIMED_OUT', 'the store is away')
  }
  const listeners = new RebalanceListeners(
    { onAssigned: fail, onRevoked: fail, onLost: fail },
    WHO,
    new ConsumerMetrics(),
    assert.fail,
  )
  const end = { code: 'REQUEST_TIMED_OUT', message: 'the store is away', retriable: false, fatal: true }
  assert.throws(() => listeners.assigned(PLACES), end)
  await assert.rejects(listeners.revoked(PLACES.slice(1)), end)
  assert.throws(() => listeners.lost(PLACES), end)
})

test('what a listener throws after it has awaited something ends the consumer, and not the process', async () => {
  const told: string[] = []
  const fail = async (): Promise<never> => {
    throw new Error('the store is away')
  }
  const options = { onAssigned: fail, onLost: fail }
  const listeners = new RebalanceListeners(options, WHO, new ConsumerMetrics(), ({ message }) => told.push(message))
  listeners.assigned(PLACES)
  listeners.lost(PLACES)
  await new Promise(setImmediate)
  assert.deepEqual(told, ['Error: the store is away', 'Error: the store is away'])
})

test('listeners that let go of partitions themselves wait neither for themselves nor for each other', async () => {
  const finish: (() => void)[] = []
  const order: string[] = []
  const onRevoked = async (partitions: readonly TopicPartition[]): Promise<void> => {
    await new Promise<void>(resolve => finish.push(resolve))
    assert.ok(listeners.isAsking)
    await listeners.revoked(PLACES)
    order.push(`told of ${partitions.map(partitionKey)}`)
  }
  const listeners = new RebalanceListeners({ onRevoked }, WHO, new ConsumerMetrics(), assert.fail)
  listeners.assigned(PLACES)
  const one = listeners.revoked(PLACES.slice(0, 1))
  assert.ok(!listeners.isAsking)
  const other = listeners.revoked(PLACES).then(() => order.push('gone'))
  for (const resolve of finish) resolve()
  await Promise.all([one, other])
  assert.deepEqual(order, ['told of orders:0', 'told of orders:1', 'gone'])
})
