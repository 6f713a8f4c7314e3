import type { BrokerServices } from '../../../src/broker/index.ts'
import { ErrorCode, type MessageOf, type ProduceResponse } from '../../../src/protocol/everything.ts'
import type { SimulatedBroker } from '../../../src/testing/simulated-broker.ts'
import { BRIEF } from './administrator.ts'
import type { World } from './world.ts'

/** What holds inside of the broker at any moment between two turns of its loop. */
export function checkInvariants(world: World): void {
  const server = world.broker.server
  if (server === undefined) return
  for (const partition of server.services.replicas.partitions()) {
    const { log, topicPartition } = partition
    if (log === undefined || log.isOffline) continue
    const { logStartOffset, lastStableOffset, highWatermark, logEndOffset, recoveryPoint } = log
    const where = `${topicPartition.topic}-${topicPartition.partition}`
    const numbers = `start ${logStartOffset}, LSO ${lastStableOffset}, HW ${highWatermark}, end ${logEndOffset}, synced to ${recoveryPoint}`
    if (!(logStartOffset <= lastStableOffset)) world.fail(`${where}: the start is above the LSO: ${numbers}`)
    if (!(lastStableOffset <= highWatermark)) world.fail(`${where}: the LSO is above the high watermark: ${numbers}`)
    if (!(highWatermark <= logEndOffset)) world.fail(`${where}: the high watermark is above the end: ${numbers}`)
    if (!(recoveryPoint <= logEndOffset)) world.fail(`${where}: the recovery point is above the end: ${numbers}`)
    const before = world.starts.get(where) ?? 0
    if (logStartOffset < before) world.fail(`${where}: the start was ${before} and went back: ${numbers}`)
    if (topicPartition.topic !== BRIEF) world.starts.set(where, logStartOffset)
    const isVisibleUnsynced = log.mustSyncBeforeAck && highWatermark > Math.max(recoveryPoint, logStartOffset)
    if (isVisibleUnsynced) world.fail(`${where}: what is not synced can be read: ${numbers}`)
  }
}

/** What a recovery has cut off stays off whenever the power goes: readers see something else in its place soon. */
export function checkRecovered(world: Pick<World, 'fail'>, { disk, server }: SimulatedBroker): void {
  for (const { log } of server?.services.replicas.partitions() ?? []) {
    if (log === undefined || log.isOffline) continue
    for (const name of disk.list(log.path).filter(file => file.endsWith('.log'))) {
      const path = `${log.path}/${name}`
      const [size, durable] = [disk.stat(path)!.size, disk.durableSize(path)!]
      if (durable > size) world.fail(`${path}: what was cut off behind ${size} bytes can come back, to ${durable}`)
    }
  }
}

/** What Produce acknowledges under `log.flush.interval.messages=1` survives a power cut that comes the moment after. */
export function checkAcknowledged(
  world: Pick<World, 'fail'>,
  { responses }: Pick<MessageOf<typeof ProduceResponse>, 'responses'>,
  { replicas }: Pick<BrokerServices, 'replicas'>,
): void {
  for (const { name, topicId, partitionResponses } of responses) {
    for (const { index, errorCode, baseOffset } of partitionResponses) {
      if (errorCode !== ErrorCode.NONE) continue
      const partition = [...replicas.partitions()].find(
        ({ topicPartition, topicId: id }) =>
          topicPartition.partition === index && (topicPartition.topic === name || id === topicId),
      )
      const log = partition?.log
      if (log === undefined || log.isOffline || !log.mustSyncBeforeAck || baseOffset < log.recoveryPoint) continue
      const { topic } = log.topicPartition
      world.fail(`${topic}-${index}: offset ${baseOffset} is acknowledged and synced is only to ${log.recoveryPoint}`)
    }
  }
}
