/** What each setting of a topic does here: the part of its page that no table of keys can know. */
import type { TopicKeys } from '../../src/config/broker.ts'

/** Begins the entry of a setting that is accepted and changes nothing. */
export const NO_EFFECT = 'None: '

const WITH_REPLICAS = `${NO_EFFECT}it speaks of replicas beside the leader, and there is one broker yet.`
const TIERED = `${NO_EFFECT}there is no tiered storage, so records are local and \`retention.*\` alone decides.`

/** By key. The compiler asks for every key, and `test/integration/topic-configs.test.ts` sets each and looks. */
export const TOPIC_EFFECTS: Readonly<Record<keyof TopicKeys, string>> = {
  'cleanup.policy': 'As in Kafka; with `compact`, records without a key are refused.',
  'compression.type': 'Batches of another codec are packed anew before they are stored, in a thread.',
  'compression.gzip.level': 'As in Kafka.',
  'compression.lz4.level':
    'As in Kafka: 9, the default, is the fast way; any other looks for matches, the further the higher.',
  'compression.zstd.level': 'As in Kafka.',
  'delete.retention.ms': 'As in Kafka: counted from the first cleaning that meets the tombstone.',
  'file.delete.delay.ms': 'As in Kafka.',
  'flush.messages': 'With 1, one sync serves all who wait for it, and consumers see a record when it is synced.',
  'flush.ms': 'As in Kafka, at the pace of `log.flush.scheduler.interval.ms`.',
  'follower.replication.throttled.replicas': WITH_REPLICAS,
  'leader.replication.throttled.replicas': WITH_REPLICAS,
  'index.interval.bytes': 'As in Kafka.',
  'local.retention.bytes': TIERED,
  'local.retention.ms': TIERED,
  'max.compaction.lag.ms':
    'As in Kafka: a segment is closed at this age and then cleaned, however small the dirty part is.',
  'max.message.bytes': 'Checked when a batch comes, and again when it was packed anew.',
  'message.downconversion.enable': 'As in Kafka: Fetch v0 to v3 is refused with UNSUPPORTED_VERSION.',
  'message.format.version':
    'As in Kafka: none since `inter.broker.protocol.version` 3.0; below, records are stored in that format.',
  'message.timestamp.after.max.ms': 'As in Kafka: INVALID_TIMESTAMP.',
  'message.timestamp.before.max.ms': 'As in Kafka: INVALID_TIMESTAMP.',
  'message.timestamp.difference.max.ms': 'Counts for each of the two newer keys that is not set.',
  'message.timestamp.type': 'As in Kafka.',
  'min.cleanable.dirty.ratio': 'As in Kafka.',
  'min.compaction.lag.ms': 'As in Kafka: whole segments wait for their youngest record.',
  'min.insync.replicas': `${NO_EFFECT}no more are asked for than a partition has replicas, as in Kafka, and there is one broker yet.`,
  preallocate: `${NO_EFFECT}it spares file systems of Windows work that others do not have.`,
  'remote.log.copy.disable': '`true` is refused.',
  'remote.log.delete.on.disable': '`true` is refused.',
  'remote.storage.enable': '`true` is refused.',
  'retention.bytes': 'As in Kafka: whole segments, never above the high watermark.',
  'retention.ms': 'As in Kafka: whole segments, never above the high watermark.',
  'segment.bytes': 'As in Kafka.',
  'segment.index.bytes': 'As in Kafka, though the file grows with its entries and not at once.',
  'segment.jitter.ms': 'As in Kafka.',
  'segment.ms': 'As in Kafka, by the time of the records.',
  'unclean.leader.election.enable': WITH_REPLICAS,
}
