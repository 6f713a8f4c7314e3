/**
 * A transactional producer in a process of its own, so that it can be stopped in the middle of its work:
 * `zombie-producer.js <port> <transactional id> <topic> <value>`. It sends records to three partitions until one is refused, tries to
 * commit, and prints one line for each answer.
 */
import { TransactionClient } from './transaction-client.ts'

const [port = '', id = '', topic = '', value = ''] = process.argv.slice(2)
const producer = new TransactionClient(Number(port), id)
await producer.init()
for (let refused = false; !refused; ) {
  const errors = await producer.send(topic, [0, 1, 2], value)
  console.log(`sent ${errors.join(' ')}`)
  refused = errors.some(error => error !== 'NONE')
}
console.log(`ended ${await producer.end(true)}`)
producer.close()
