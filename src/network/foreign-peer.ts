import { MalformedError } from '../protocol/index.ts'

/** What begins an alert of TLS: its type, and the version's first byte. */
const TLS_ALERT = 0x1503
const PRINTABLE = /^[\x20-\x7e]{4}$/
const KNOWN: ReadonlyMap<string, string> = new Map([
  ['HTTP', ', as HTTP does'],
  ['SSH-', ', as SSH does'],
])

/** A frame whose size no frame has. */
export class FrameSizeError extends RangeError {
  readonly size: number

  constructor(size: number) {
    super(`frame of ${size} bytes`)
    this.name = 'FrameSizeError'
    this.size = size
  }
}

/** That at an address listens what is no broker, whatever is asked of it. */
class ForeignPeer extends MalformedError {
  override get fatal(): boolean {
    return true
  }
}

/**
 * What is wrong with a peer whose first bytes are no answer of a broker, though it was asked for one: another service listens at that port.
 * Asking it again would change nothing.
 */
export function foreignPeer(where: string, { size }: FrameSizeError): ForeignPeer {
  const start = Buffer.alloc(4)
  start.writeInt32BE(size)
  if (start.readUInt16BE() === TLS_ALERT) {
    return new ForeignPeer(`${where} answers with an alert of TLS; does it want TLS? (security.protocol)`)
  }
  const text = start.toString('latin1')
  const seen = PRINTABLE.test(text) ? `"${text}"${KNOWN.get(text) ?? ''}` : `the bytes ${start.toString('hex')}`
  return new ForeignPeer(`${where} is no Kafka broker: its answer begins with ${seen}`)
}
