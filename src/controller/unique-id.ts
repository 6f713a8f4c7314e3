import type { Random } from '../platform/index.ts'

/**
 * A random UUID (version 4) in 22 characters of URL-safe base64, as Kafka writes topic and cluster ids. Never one that
 * begins with a dash, which would look like an option on a command line.
 */
export function uniqueId(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(random.bytes(16))
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    const id = bytes.toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
