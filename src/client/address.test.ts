import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOptions } from './address.ts'

test('whole URLs beside each other may each name the same user', () => {
  const { bootstrapServers, saslUsername, saslPassword } = addressOptions(
    'kafka+ssl://alice:p%40ss@one:9093,kafka+ssl://alice:p%40ss@two',
  )
  assert.deepEqual(
    { bootstrapServers, saslUsername, saslPassword },
    {
      bootstrapServers: ['one:9093', 'two:9092'],
      saslUsername: 'alice',
      saslPassword: 'p@ss',
    },
  )
})

test('URLs that differ in TLS, or in who asks, are refused, and no password is shown', () => {
  for (const address of [
    'kafka://one,kafka+ssl://two',
    'kafka+ssl://one,kafka://two',
    'kafka+ssl://alice:secret@one,kafka+ssl://bob:secret@two',
  ]) {
    assert.throws(
      () => addressOptions(address),
      (error: Error) => /same/.test(error.message) && !error.message.includes('secret'),
      address,
    )
  }
})

test('an address with a misspelled scheme or a raw mark in its password is refused without showing it', () => {
  for (const address of [
    'kafka-ssl://alice:secret@host:9093',
    'kafka://alice:sec/ret?secret@host',
    'alice:secret@host:9092',
  ]) {
    assert.throws(
      () => addressOptions(address),
      (error: Error) => error.name === 'ConfigError' && !/sec/.test(error.message),
      address,
    )
  }
})
