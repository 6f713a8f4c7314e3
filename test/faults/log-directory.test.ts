/** Log directories that may not be read, and one that somebody removes under the broker. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { report } from './cycles.ts'
import { readPartition } from './partition-reader.ts'
import { otherDirectoryLives, untilRefused, withTwoDirectories } from './two-directories.ts'
import { withBroker } from './with-broker.ts'

/** Root without the right to read what nobody may read. */
const LAUNCHER = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : []

/** Names and contents below a directory. */
function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map(name => [name, join(directory, name)] as const)
    .filter(([, path]) => statSync(path).isFile())
  return Object.fromEntries(files.map(([name, path]) => [name, readFileSync(path, 'base64')]))
}

test('a log directory that may not be read is left alone and the other one served; without another the start is refused', async context => {
  const parent = mkdtempSync(join(tmpdir(), 'monedula-unreadable-'))
  const frail = join(parent, 'frail')
  mkdirSync(frail)
  let files = 0
  try {
    const options = { launcher: LAUNCHER }
    const audit = await withTwoDirectories(
      frail,
      {},
      async parts => {
        await parts.broker.killHard()
        const before = contents(frail)
        files = Object.keys(before).length
        chmodSync(frail, 0)
        await parts.broker.restart()
        await untilRefused(parts)
        await otherDirectoryLives(parts)
        assert.match(parts.broker.log, new RegExp(`${frail}.*EACCES|EACCES.*${frail}`))
        await parts.broker.killHard()
        chmodSync(frail, 0o700)
        assert.deepEqual(contents(frail), before)
        await parts.broker.restart()
      },
      options,
    )
    await withBroker({ ...options }, async broker => {
      await broker.stop()
      chmodSync(broker.logDirectory, 0)
      const refused = await broker.spawn()
      assert.notEqual(await refused.ended(), 0)
      assert.match(refused.stdout + refused.stderr, /EACCES|cannot be/)
      assert.doesNotMatch(refused.stdout + refused.stderr, /\n\s+at /, 'no stack trace')
      chmodSync(broker.logDirectory, 0o700)
    })
    report(context.name, { 'files unchanged': files, ...audit })
  } finally {
    chmodSync(frail, 0o700)
    rmSync(parent, { recursive: true })
  }
})

test('a log directory that is removed under the broker goes offline and is not made anew before a start', async context => {
  const parent = mkdtempSync(join(tmpdir(), 'monedula-removed-'))
  const frail = join(parent, 'frail')
  mkdirSync(frail)
  try {
    await withTwoDirectories(
      frail,
      { 'log.flush.offset.checkpoint.interval.ms': '100' },
      async parts => {
        rmSync(frail, { recursive: true })
        const refused = await untilRefused(parts)
        await otherDirectoryLives(parts)
        assert.ok(!existsSync(frail), 'nothing was made in its place')
        await parts.load.stop()
        const served: Record<string, number> = {}
        for (const partition of parts.healthy) {
          const read = await readPartition(parts.broker.port, { topic: parts.topic, partition })
          assert.ok(read.length >= parts.load.acknowledgedIn(partition))
          served[`records served of partition ${partition}`] = read.length
        }
        await parts.broker.killHard()
        await parts.broker.restart()
        for (const partition of parts.struck) {
          assert.deepEqual(await readPartition(parts.broker.port, { topic: parts.topic, partition }), [])
        }
        report(context.name, { 'storage errors': refused, ...served })
      },
      { isAudited: false },
    )
  } finally {
    rmSync(parent, { recursive: true })
  }
})
