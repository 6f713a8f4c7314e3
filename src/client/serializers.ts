import { ConfigError, kindOf } from '../config/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { isThenable } from './thenable.ts'

/** Turns values of one type into bytes and back. `topic` is where they go or come from. */
export interface Serde<T> {
  serialize(value: T, topic: string): Uint8Array
  deserialize(bytes: Uint8Array, topic: string): T
}

/** @throws ConfigError for what cannot turn `what` into bytes, or bytes into it */
export function checkSerde(what: 'key' | 'value', serde: object, turn: 'serialize' | 'deserialize'): void {
  if (typeof (serde as Partial<Serde<unknown>> | null)?.[turn] === 'function') return
  throw new ConfigError(`${what}: give string, json(), or another object with ${turn}()`)
}

/**
 * What a serializer has given. One that is asynchronous would be taken for bytes.
 * @throws KafkaError INVALID_RECORD for anything but bytes
 */
export function checkedBytes(what: 'key' | 'value', given: unknown, topic: string): Uint8Array {
  if (given instanceof Uint8Array) return given
  // Whatever becomes of it, the send has failed, and nobody else hears of it.
  if (isThenable(given)) given.then(undefined, () => {})
  const instead = isThenable(given) ? 'a promise: await what it takes before the send' : typeof given
  throw new KafkaError('INVALID_RECORD', `the serializer of ${what}s for ${topic} has to return bytes, not ${instead}`)
}

const LATIN1_MAX = 64
/** Letters of a wrong value in an error. */
const MAX_SHOWN = 40

/** What null is read as by all of them, as in Java. A consumer gives them none, but leaves null what is null. */
const NULL = null as never

/** UTF-8 text. */
export const string: Serde<string> = {
  serialize: (value, topic) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : alreadyBytes(value, topic)),
  deserialize: bytes => (bytes === null ? NULL : text(bytes)),
}

/** A producer's texts may be bytes already. @throws KafkaError INVALID_RECORD for what is neither */
function alreadyBytes(value: unknown, topic: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new KafkaError('INVALID_RECORD', `a value for ${topic} is no text: it is of type ${kindOf(value)}`)
}

/** Bytes as they are; what a consumer gives is a view of what was read and is not to be changed. */
export const bytes: Serde<Uint8Array> = { serialize: value => value, deserialize: value => value }

/**
 * JSON in UTF-8. The type is what its writer promised: nothing is checked.
 * @throws INVALID_RECORD for what is no JSON, and for what JSON cannot say (a function, a bigint, an object within itself)
 */
export function json<T>(): Serde<T> {
  return {
    serialize: (value, topic) => Buffer.from(jsonText(value, topic), 'utf8'),
    deserialize: (value, topic) => {
      if (value === null) return NULL
      try {
        return JSON.parse(text(value)) as T
      } catch (error) {
        throw new KafkaError('INVALID_RECORD', `a value of ${topic} is no JSON`, { cause: error })
      }
    },
  }
}

function jsonText(value: unknown, topic: string): string {
  let text: string | undefined
  let cause: unknown
  try {
    text = JSON.stringify(value)
  } catch (error) {
    cause = error
  }
  if (text !== undefined) return text
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : `it is of type ${typeof value}`
  throw new KafkaError('INVALID_RECORD', `a value for ${topic} cannot be said in JSON: ${reason}`, { cause })
}

/** Java's IntegerSerializer: four bytes, big-endian. */
export const integer: Serde<number> = fixed('integer', 'number', 4, {
  write: (target, value) => void target.writeInt32BE(value),
  read: source => source.readInt32BE(),
})

/** Java's DoubleSerializer: eight bytes, big-endian. */
export const double: Serde<number> = fixed('double', 'number', 8, {
  write: (target, value) => void target.writeDoubleBE(value),
  read: source => source.readDoubleBE(),
})

/** Java's LongSerializer: eight bytes, big-endian. */
export const long: Serde<bigint> = fixed('long', 'bigint', 8, {
  write: (target, value) => void target.writeBigInt64BE(value),
  read: source => source.readBigInt64BE(),
})

/**
 * Java's UUIDSerializer: a UUID's text, in small letters, so that it goes to the partition where Java sends it.
 * @throws INVALID_RECORD for what is no UUID
 */
export const uuid: Serde<string> = {
  serialize: (value, topic) => Buffer.from(checkedUuid(value, topic).toLowerCase(), 'latin1'),
  deserialize: (value, topic) => (value === null ? NULL : checkedUuid(text(value), topic)),
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function checkedUuid(value: string, topic: string): string {
  if (typeof value === 'string' && UUID.test(value)) return value
  const given = typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_SHOWN)) : `of type ${kindOf(value)}`
  throw new KafkaError('INVALID_RECORD', `a value for ${topic} is no UUID, such as randomUUID() gives: it is ${given}`)
}

function fixed<T>(
  name: string,
  type: 'number' | 'bigint',
  size: number,
  { write, read }: { write: (target: Buffer, value: T) => void; read: (source: Buffer) => T },
): Serde<T> {
  return {
    serialize: (value, topic) => {
      const target = Buffer.alloc(size)
      try {
        if (typeof value !== type) throw new TypeError(`it is of type ${kindOf(value)}`)
        write(target, value)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new KafkaError('INVALID_RECORD', `a value for ${topic} is no ${name}: ${reason}`, { cause: error })
      }
      return target
    },
    deserialize: (value, topic) => {
      if (value === null) return NULL
      if (value.length === size) return read(view(value))
      throw new KafkaError('INVALID_RECORD', `${name} of ${topic} has ${size} bytes, not ${value.length}`)
    },
  }
}

function view(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.length)
}

/** Short text is mostly ASCII, which is faster read byte by byte than by a call across the border to native code. */
function text(value: Uint8Array): string {
  if (value.length > LATIN1_MAX) return view(value).toString('utf8')
  let result = ''
  for (let index = 0; index < value.length; index++) {
    const byte = value[index]!
    if (byte > 0x7f) return view(value).toString('utf8')
    result += String.fromCharCode(byte)
  }
  return result
}
