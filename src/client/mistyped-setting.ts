/** What kafkajs, librdkafka and Java call what has another name here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['brokers', 'bootstrapServers'],
  ['metadata.broker.list', 'bootstrapServers'],
  ['ssl', 'tls'],
  ['logLevel', 'logger'],
  ['logCreator', 'logger'],
  ['idempotent', 'enableIdempotence'],
  ['createPartitioner', 'partitioner'],
  ['fromBeginning', "autoOffsetReset: 'earliest'"],
  ['readUncommitted', 'isolationLevel'],
  ['partitionAssigners', 'assignors'],
  ['partitionsConsumedConcurrently', 'concurrency'],
  ['compression.codec', 'compressionType'],
  ['key.serializer', 'key'],
  ['key.deserializer', 'key'],
  ['value.serializer', 'value'],
  ['value.deserializer', 'value'],
  ['message.send.max.retries', 'retries'],
  ['message.timeout.ms', 'deliveryTimeoutMs'],
  ['queue.buffering.max.messages', 'bufferMemory'],
  ['queue.buffering.max.kbytes', 'bufferMemory'],
  ['queue.buffering.max.ms', 'lingerMs'],
  ['batch.num.messages', 'batchSize'],
  ['enable.auto.offset.store', 'enableAutoCommit'],
  ['ssl.ca.location', 'ssl.truststore.location'],
  ['debug', 'logger'],
  ['log_level', 'logger'],
  ['rebalance_cb', 'onAssigned and onRevoked'],
  ['dr_cb', 'the promise of send()'],
  ['dr_msg_cb', 'the promise of send()'],
  ['autoCommit', 'enableAutoCommit of the consumer'],
  ['numPartitions', 'partitions'],
  ['num_partitions', 'partitions'],
  ['replicaAssignment', 'assignments'],
  ['configEntries', 'configs'],
  ['resourcePatternType', 'patternType'],
  ['permissionType', 'permission'],
])

/** Letters that may be wrong, missing or too many. */
const MOST_SLIPS = 2

/** What somebody may have meant by a setting that there is not: one of `names`, or all of them. */
export function meant(given: string, names: readonly string[]): string {
  const best = ELSEWHERE.get(given) ?? spelledAlike(given, names) ?? sharingWords(given, names)
  return best === undefined ? `there are ${names.join(', ')}` : `did you mean ${best}?`
}

function spelledAlike(given: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map(name => ({ name, slips: distance(letters(given), letters(name)) }))
    .sort((one, other) => one.slips - other.slips)
  return best !== undefined && best.slips <= MOST_SLIPS ? best.name : undefined
}

function sharingWords(given: string, names: readonly string[]): string | undefined {
  const words = new Set(given.replaceAll(/[A-Z]/g, letter => `.${letter.toLowerCase()}`).split(/[._-]/))
  const shared = (name: string): number => name.split('.').filter(word => words.has(word)).length
  const [best] = [...names].sort((one, other) => shared(other) - shared(one))
  return best !== undefined && shared(best) > 0 ? best : undefined
}

const letters = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/** Letters to change, to add or to take away until one word is the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1]
    for (const [at, theirs] of [...other].entries()) {
      const changed = row[at]! + (letter === theirs ? 0 : 1)
      next.push(Math.min(changed, row[at + 1]! + 1, next[at]! + 1))
    }
    row = next
  }
  return row[other.length]!
}
