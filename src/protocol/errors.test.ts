import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_NAMES, ErrorCode, errorMessage, errorName, KafkaError, MalformedError } from './errors.ts'

test('codes have no gap, and each has a name and a message', () => {
  const codes = ERROR_NAMES.map(name => ErrorCode[name])
  assert.deepEqual(
    codes,
    codes.map((_, index) => index - 1),
  )
  for (const name of ERROR_NAMES) {
    assert.equal(errorName(ErrorCode[name]), name)
    assert.notEqual(errorMessage(name), '')
  }
})

test('a KafkaError carries name, number and whether to try again', () => {
  const error = new KafkaError('NOT_LEADER_OR_FOLLOWER')
  assert.deepEqual([error.code, error.errorCode, error.retriable], ['NOT_LEADER_OR_FOLLOWER', 6, true])
  assert.equal(new KafkaError('INVALID_CONFIG', 'why').message, 'why')
  assert.equal(KafkaError.fromCode(3).code, 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(new MalformedError('cut').errorCode, 42)
})

test('what only a client knows has a name of its own, and no number of its own', () => {
  const error = new KafkaError('SSL_AUTHENTICATION_FAILED')
  assert.deepEqual([error.code, error.errorCode], ['SSL_AUTHENTICATION_FAILED', -1])
  assert.deepEqual([error.fatal, error.retriable, error.message], [true, false, 'the TLS handshake failed'])
})

test('a message that quotes a huge name still fits in an answer', () => {
  const { message } = new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name '${'x'.repeat(0x7fff)}' is illegal`)
  assert.ok(Buffer.byteLength(message) < 0x7fff / 3)
  assert.match(message, /^Topic name 'x+\.\.\.$/)
})

test('a code that nobody knows is an unknown error', () => {
  assert.equal(errorName(9999), 'UNKNOWN_SERVER_ERROR')
})
