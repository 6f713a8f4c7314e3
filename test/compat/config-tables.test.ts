/** The dump of Kafka's configuration keys that the golden tests use, against Kafka's own jars. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { jarVersion, kafkaJars, repositoryRoot } from './jars.ts'
import { run } from './process.ts'

const program = join(repositoryRoot, 'test/compat/java/ConfigTables.java')

test(`the committed table of keys is that of Kafka ${jarVersion('libs', 'kafka_2.13')}`, async () => {
  const { libs } = await kafkaJars()
  const { stdout } = await run('java', ['-cp', `${libs}/*`, program], { timeoutMs: 120_000 })
  const { origin, ...committed } = JSON.parse(
    readFileSync(join(repositoryRoot, 'test/golden/config/kafka-3.9.1-config.json'), 'utf8'),
  )
  assert.match(origin, /3\.9\.1/)
  assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf('{'))), committed)
})
