import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHostile } from '../../scripts/fuzz/hostile-encoder.ts'
import { emptyReport, fuzz } from '../../scripts/fuzz/request-fuzzer.ts'
import { seededRandom } from '../../src/platform/index.ts'
import { apis, encodeMessageBytes } from '../../src/protocol/everything.ts'
import { sampleMessage } from '../../src/protocol/sample-message.ts'

const SEEDS = 6

test('the fuzzer, where it does not lie, encodes what the codec encodes', () => {
  const random = seededRandom(5)
  for (const { request } of apis) {
    for (let version = request.versions.min; version <= request.versions.max; version++) {
      const message = sampleMessage(request, version, random)
      const honest = encodeHostile({ schema: request, version, message, lies: 0, random })
      assert.deepEqual(
        honest,
        Buffer.from(encodeMessageBytes(request, version, message)),
        `${request.name} v${version}`,
      )
    }
  }
})

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`no request of seed ${seed} stops or disturbs the broker: npm run fuzz -- --seed ${seed} --rounds 1`, async () => {
    const report = emptyReport()
    await fuzz(seed, report)
    assert.equal(report.answered + report.closed + report.abandoned <= report.requests, true)
    assert.ok(report.answered > report.requests / 4, `only ${report.answered} of ${report.requests} were answered`)
  })
}
