import type { Random } from '../../platform/index.ts'

/** Makes member ids as Kafka does: the client's or the instance's name, a dash, a random UUID (version 4). */
export function memberIdGenerator(random: Random): (prefix: string) => string {
  return prefix => `${prefix}-${randomUuid(random)}`
}

function randomUuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
