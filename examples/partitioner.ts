/** Chooses partitions: by hash, in turn, or by a rule of one's own: `node dist/examples/partitioner.js host:port`. */
import { connect, type PartitionChoice, type Partitioner } from 'monedula'

/** Orders of guests go to partition 0, all others by the length of their key. */
class GuestsFirst implements Partitioner {
  partition({ key, partitionCount }: PartitionChoice): number {
    return key === 'guest' ? 0 : 1 + (String(key).length % (partitionCount - 1))
  }
}

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')

for (const [name, options] of [
  ['by hash of the key, as Java', {}],
  ['in turn', { partitionerClass: 'round-robin' }],
  ['at random', { partitionerClass: 'random' }],
  ['guests first', { partitioner: new GuestsFirst() }],
] as const) {
  await using producer = kafka.producer(options)
  const places = await Promise.all(
    ['guest', 'anna', 'guest', 'bob'].map(key => producer.send('orders', { key, value: 'one' })),
  )
  console.log(`${name}: ${places.map(({ partition }) => partition).join(' ')}`)
}
