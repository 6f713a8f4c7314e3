/** Our table of error codes against the one in Kafka's newest client jar. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ERROR_NAMES, KafkaError } from '../../src/protocol/index.ts'
import { kafkaJars } from './jars.ts'
import { run } from './process.ts'

const program = fileURLToPath(new URL('../../../test/compat/java/ErrorCodes.java', import.meta.url))

test('codes, names and what may be retried are those of Kafka 4.3.0', async () => {
  const { clients43 } = await kafkaJars()
  const { stdout } = await run('java', ['-cp', `${clients43}/*`, program])
  const ours = ERROR_NAMES.map(name => new KafkaError(name))
  assert.deepEqual(
    ours.map(({ errorCode, code, retriable }) => `${errorCode} ${code} ${retriable}`),
    stdout.trim().split('\n'),
  )
})
