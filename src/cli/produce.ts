import { createInterface } from 'node:readline'
import { type ClusterOptions, producerPatience, toCluster } from './to-cluster.ts'

/** Options of `monedula produce`, as the command line gives them. */
export interface ProduceOptions extends ClusterOptions {
  readonly keySeparator?: string
  readonly header: readonly string[]
}

/** How many lines wait for their acknowledgement at the most. */
const MAX_PENDING = 10_000

/** `monedula produce`: every line of standard input is a record; resolves when all are acknowledged. */
export async function produce(topic: string, options: ProduceOptions): Promise<void> {
  const { keySeparator, header } = options
  const headers = header.map(entry => {
    const at = entry.indexOf('=')
    if (at < 1) throw new Error(`--header ${entry}: give name=value`)
    return { key: entry.slice(0, at), value: entry.slice(at + 1) }
  })
  await using producer = toCluster(options).producer(producerPatience)
  let failure: Error | undefined
  let pending = 0
  for await (const line of createInterface({ input: process.stdin })) {
    if (failure) break
    const at = keySeparator === undefined ? -1 : line.indexOf(keySeparator)
    if (keySeparator !== undefined && at < 0) {
      throw new Error(`a line has no key: ${JSON.stringify(keySeparator)} is not in ${JSON.stringify(line)}`)
    }
    const key = at < 0 ? null : line.slice(0, at)
    const value = at < 0 ? line : line.slice(at + keySeparator!.length)
    pending += 1
    const sent = producer.send(topic, { key, value, headers })
    sent
      .catch((error: Error) => {
        failure ??= error
      })
      .finally(() => {
        pending -= 1
      })
    if (pending >= MAX_PENDING) await producer.flush()
  }
  await producer.flush()
  if (failure) throw failure
}
