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
