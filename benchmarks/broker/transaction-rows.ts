/** How many transactions are committed, and what each costs the broker. */
import { join } from 'node:path'
import { repositoryRoot } from '../../test/compat/jars.ts'
import { java } from '../../test/compat/java.ts'
import { type Row, withCpu } from './row.ts'

const RECORDS = 100
const PARTITIONS = 3
const RUN_TIMEOUT_MS = 180_000

function transactionRow(producers: number, quick: boolean): Row {
  return {
    id: `transactions-${producers}`,
    title: `transactions of ${RECORDS} records of 100 B, ${producers === 1 ? 'one producer' : `${producers} producers`} (Java)`,
    figures: [
      { name: 'rate', unit: 'transactions/s', digits: 0 },
      { name: 'broker CPU', unit: 'µs/transaction', digits: 0 },
    ],
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const topic = await contender.newTopic(PARTITIONS)
      const seconds = Math.max(3, 15 * scale.load)
      const program = join(repositoryRoot, 'benchmarks/broker/java/Transactions.java')
      const args = [contender.bootstrap, topic, `${producers}`, `${RECORDS}`, `${seconds}`]
      const [output, cpu] = await withCpu(
        contender,
        async () => (await java(program, args, { flags: ['-Xmx512m'], timeoutMs: RUN_TIMEOUT_MS })).stdout,
      )
      const [rate = Number.NaN, transactions = Number.NaN] = output.trim().split(' ').map(Number)
      return [rate, (cpu * 1e6) / transactions]
    },
  }
}

/** Every measurement of transactions. */
export const transactionRows: readonly Row[] = [transactionRow(1, true), transactionRow(8, false)]
