import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TransactionCoordinator } from '../coordinator/index.ts'
import type { ErrorName } from '../protocol/index.ts'
import type { ReplicaManager } from '../replication/index.ts'
import { ImplicitPartitions } from './implicit-partitions.ts'

const producer = { producerId: 5, producerEpoch: 0 }

/** Logs that have the partitions of `a` alone, and a coordinator that answers when it is told to. */
function setUp() {
  const open = new Set<string>()
  const known = new Set<string>()
  const answers: ((error: ErrorName) => void)[] = []
  const asked: string[][] = []
  const textOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}-${partition}`
  const replicas = {
    hosted: {
      find: (topic: string, partition: number) =>
        topic === 'a' ? { log: { hasOpenTransaction: () => open.has(textOf({ topic, partition })) } } : undefined,
    },
  } as unknown as ReplicaManager
  const transactions = {
    verify: (_id, _producer, name) => (known.has(textOf(name)) ? 'NONE' : 'TRANSACTION_ABORTABLE'),
    addImplicitly: (_id, _producer, names) => {
      asked.push(names.map(textOf))
      return new Promise(resolve => answers.push(resolve))
    },
  } as Pick<TransactionCoordinator, 'verify' | 'addImplicitly'> as TransactionCoordinator
  const implicit = new ImplicitPartitions(replicas, transactions)
  const begun: string[] = []
  const write = (...partitions: readonly string[]) => {
    const names = partitions.map(text => ({ topic: text.slice(0, -2), partition: Number(text.at(-1)) }))
    return implicit.write({ transactionalId: 'id', producer, names }, outcomeOf => {
      begun.push(names.map(name => `${textOf(name)} ${outcomeOf(name)}`).join(', '))
      return begun.length
    })
  }
  const answer = async (error: ErrorName, ...added: readonly string[]) => {
    for (const name of added) known.add(name)
    answers.shift()?.(error)
    await new Promise(resolve => setImmediate(resolve))
  }
  return { open, asked, begun, write, answer }
}

describe('what a transaction writes to without having named it', () => {
  it('is added once, and what comes meanwhile is written in the order in which it came', async () => {
    const { asked, begun, write, answer } = setUp()
    const first = write('a-0')
    const second = write('a-0', 'a-1')
    const third = write('a-0')
    assert.deepEqual([begun, asked], [[], []])
    await Promise.resolve()
    assert.deepEqual(asked, [['a-0']])
    await answer('NONE', 'a-0')
    assert.deepEqual(begun, ['a-0 NONE'])
    assert.deepEqual(asked, [['a-0'], ['a-1']])
    await answer('NONE', 'a-1')
    assert.deepEqual(begun, ['a-0 NONE', 'a-0 NONE, a-1 NONE', 'a-0 NONE'])
    assert.deepEqual(await Promise.all([first, second, third]), [1, 2, 3])
    assert.equal(write('a-0'), 4)
  })

  it('is written in the same turn where the log knows of the transaction, or there is none', () => {
    const { open, asked, begun, write } = setUp()
    open.add('a-0')
    assert.equal(write('a-0', 'b-0'), 1)
    assert.deepEqual([begun, asked], [['a-0 NONE, b-0 NONE'], []])
  })

  it('is refused with what the coordinator said, and only that', async () => {
    const { open, begun, write, answer } = setUp()
    open.add('a-1')
    const writing = write('a-0', 'a-1')
    await Promise.resolve()
    await answer('CONCURRENT_TRANSACTIONS')
    assert.equal(await writing, 1)
    assert.deepEqual(begun, ['a-0 CONCURRENT_TRANSACTIONS, a-1 NONE'])
  })
})
