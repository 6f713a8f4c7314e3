/** kafka-python, the newest and the long-lived 2.0.2: producer with every codec, groups, offsets by time, admin. */
import assert from 'node:assert/strict'
import { compatTest } from './compat-test.ts'
import { pythonScript } from './python-script.ts'
import { pythonWith } from './tools.ts'

const CODECS = ['python-snappy==0.7.3', 'lz4==4.4.5', 'zstandard==0.25.0']

for (const version of ['3.0.12', '2.0.2']) {
  compatTest({
    tool: `kafka-python ${version}`,
    install: () => pythonWith(`kafka-python-${version}`, [`kafka-python==${version}`, ...CODECS]),
    version: ({ versions }) => versions,
    steps: async (context, broker, { python }) => {
      await context.test('produces, consumes, shares in groups, seeks, administers', async () => {
        const output = await pythonScript(python, 'kafka_python_check.py', [broker.bootstrap])
        assert.match(output, /^done$/m)
      })
    },
  })
}
