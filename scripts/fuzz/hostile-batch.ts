/** Record batches as an attacker would produce them: right in all but one or two places. */
import type { Random } from '../../src/platform/index.ts'
import { BATCH_FIELD, BATCH_HEADER_BYTES, crc32c, encodeBatch, encodeMessageSet } from '../../src/protocol/index.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const HEADER_BYTES: Readonly<Record<keyof typeof BATCH_FIELD, number>> = {
  length: 4,
  partitionLeaderEpoch: 4,
  magic: 1,
  crc: 4,
  attributes: 2,
  lastOffsetDelta: 4,
  baseTimestamp: 8,
  maxTimestamp: 8,
  producerId: 8,
  producerEpoch: 2,
  baseSequence: 4,
  recordCount: 4,
}
const HEADER_FIELDS = Object.keys(HEADER_BYTES) as (keyof typeof BATCH_FIELD)[]

/** The records of a Produce request of `version`; two thirds of them are broken somewhere. */
export function hostileRecords(version: number, random: Random): Uint8Array {
  if (random.below(20) === 0) return random.bytes(random.below(200))
  const bytes = Buffer.from(version < 3 && random.below(5) > 0 ? messageSet(random) : batch(random))
  switch (random.below(8)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length))
    case 1:
      return Buffer.concat([bytes, Buffer.from(batch(random))])
    case 2:
      return Buffer.concat([bytes, random.bytes(1 + random.below(80))])
    case 3:
    case 4:
      return withWrongHeader(bytes, random)
    case 5:
      return withWrongRecords(bytes, random)
    default:
      return bytes
  }
}

function records(random: Random) {
  return Array.from({ length: 1 + random.below(5) }, () => ({
    key: random.below(3) === 0 ? null : random.bytes(random.below(12)),
    value: random.below(6) === 0 ? null : random.bytes(random.below(300)),
    headers: Array.from({ length: random.below(3) }, () => ({ key: 'h', value: random.bytes(random.below(5)) })),
    timestamp: [1_700_000_000_000, 0, -1, Number.MAX_SAFE_INTEGER][random.below(4)]!,
  }))
}

function batch(random: Random): Uint8Array {
  const idempotent = random.below(3) === 0
  return encodeBatch({
    records: records(random).map(record => ({ ...record, timestamp: Math.min(record.timestamp, 2e12) })),
    compression: CODECS[random.below(CODECS.length)]!,
    ...(idempotent && { producerId: random.below(5), producerEpoch: random.below(2), baseSequence: random.below(4) }),
    isTransactional: random.below(12) === 0,
    isControl: random.below(12) === 0,
  })
}

function messageSet(random: Random): Uint8Array {
  const magic = random.below(2) === 0 ? 0 : 1
  return encodeMessageSet({
    magic,
    messages: records(random).map(({ key, value }, offset) => ({
      offset,
      key,
      value,
      ...(magic === 1 && { timestamp: 1_700_000_000_000 }),
    })),
    compression: (['none', 'gzip', 'snappy'] as const)[random.below(3)]!,
  })
}

/** One header field set to something else; the CRC is made right again more often than not. */
function withWrongHeader(bytes: Buffer, random: Random): Buffer {
  if (bytes.length < BATCH_HEADER_BYTES) return bytes
  const field = HEADER_FIELDS[random.below(HEADER_FIELDS.length)]!
  const size = HEADER_BYTES[field]
  const wrong = ['00'.repeat(8), 'ff'.repeat(8), `7f${'ff'.repeat(7)}`, `80${'00'.repeat(7)}`, '0000000000000003']
  const value = Buffer.from(wrong[random.below(wrong.length)]!, 'hex')
  const isSmall = random.below(2) === 0
  value.copy(bytes, BATCH_FIELD[field], isSmall ? 8 - size : 0, isSmall ? 8 : size)
  if (field !== 'crc' && random.below(4) > 0) repairCrc(bytes)
  return bytes
}

/** Some bytes after the header changed under a right CRC: what only a walk over the records can notice. */
function withWrongRecords(bytes: Buffer, random: Random): Buffer {
  if (bytes.length <= BATCH_HEADER_BYTES) return bytes
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    bytes[BATCH_HEADER_BYTES + random.below(bytes.length - BATCH_HEADER_BYTES)] = random.below(256)
  }
  repairCrc(bytes)
  return bytes
}

/** Makes the CRC of the batch at the start of `bytes` right for what stands there. */
export function repairCrc(bytes: Buffer): void {
  bytes.writeUInt32BE(crc32c(bytes, BATCH_FIELD.attributes, bytes.length), BATCH_FIELD.crc)
}
