/** One request frame: a plausible message, then something wrong with it. */
import type { Random } from '../../src/platform/index.ts'
import { ByteWriter, encoderOf, RequestHeader, requestHeaderVersion, type Schema } from '../../src/protocol/index.ts'
import { encodeHostile } from './hostile-encoder.ts'
import { type KnownIds, plausibleMessage } from './plausible-message.ts'

/** What a request is made from. */
export interface RequestSource {
  readonly schema: Schema
  readonly version: number
  readonly correlationId: number
  readonly random: Random
  readonly known: KnownIds
}

/** Longest a client name may be on the wire. */
const LONG_NAME = 'n'.repeat(0x7fff)

/**
 * The bytes behind the frame's size. A third are valid requests, so that the broker gets into states that are worth disturbing; the
 * others lie in their structure, are cut, extended or overwritten, or have a wrong header.
 */
export function hostileRequest({ schema, version, correlationId, random, known }: RequestSource): Buffer {
  const kind = random.below(12)
  const lies = kind < 4 ? 0 : kind < 9 ? 1 + random.below(2) : 0
  const message = plausibleMessage(schema, version, { random, known })
  const body = encodeHostile({ schema, version, message, lies, random })
  const header = headerBytes({ schema, version, correlationId, random, known })
  const frame = Buffer.concat([header, body])
  if (kind === 9) return frame.subarray(0, header.length + random.below(body.length + 1))
  if (kind === 10) return Buffer.concat([frame, random.bytes(1 + random.below(20))])
  if (kind === 11) return overwritten(frame, random)
  return frame
}

function headerBytes({ schema, version, correlationId, random }: RequestSource): Buffer {
  const writer = new ByteWriter()
  const honest = requestHeaderVersion(schema, version)
  const headerVersion = random.below(60) === 0 ? random.below(3) : honest
  const clientId = random.below(30) === 0 ? LONG_NAME : random.below(10) === 0 ? null : 'fuzz'
  encoderOf(RequestHeader, headerVersion)(writer, {
    requestApiKey: schema.apiKey,
    requestApiVersion: version,
    correlationId,
    clientId,
  })
  return Buffer.from(writer.finish())
}

/** Bits flipped, or a run of bytes overwritten with what reads as a huge, a negative or an empty length. */
function overwritten(frame: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(frame)
  // Behind API key, version and correlation id: what those may be has tests of its own.
  const from = Math.min(8, bytes.length - 1)
  for (let places = 1 + random.below(3); places > 0; places--) {
    const at = from + random.below(bytes.length - from)
    if (random.below(2) === 0) bytes[at] = bytes[at]! ^ (1 << random.below(8))
    else bytes.fill([0xff, 0x00, 0x7f, 0x80][random.below(4)]!, at, Math.min(bytes.length, at + 1 + random.below(8)))
  }
  return bytes
}
