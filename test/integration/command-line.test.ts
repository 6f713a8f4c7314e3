/** The `monedula` command as it is typed, against a broker of ours: topics, groups, failures. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { relative } from 'node:path'
import { test } from 'node:test'
import { startCluster } from '../../src/testing/index.ts'
import { run } from '../compat/process.ts'
import { bin, freePort } from './broker-process.ts'
import { monedula, refusal, startMonedula } from './monedula-command.ts'

test('topics are created, listed, described, altered and deleted', async () => {
  await using cluster = await startCluster()
  assert.equal((await monedula(cluster, 'topic create orders -p 2 -c retention.ms=1000')).stdout, 'created orders\n')
  assert.equal((await monedula(cluster, 'topic list')).stdout, 'orders\n')
  assert.equal(
    (await monedula(cluster, 'topic describe orders')).stdout,
    'PARTITION  LEADER  REPLICAS  ISR  BEGIN  END\n0          0       0         0    0      0\n1          0       0         0    0      0\n' +
      '\nCONFIG        VALUE  SOURCE\nretention.ms  1000   dynamic-topic\n',
  )
  const changes = '-p 3 --delete-config retention.ms -c cleanup.policy=compact -c segment.ms=5000'
  assert.equal((await monedula(cluster, `topic alter orders ${changes}`)).stdout, 'altered orders\n')
  const altered = (await monedula(cluster, 'topic describe orders --all')).stdout
  assert.match(altered, /^2 +0 +0 +0 +0 +0$/m)
  assert.match(altered, /^cleanup\.policy +compact +dynamic-topic$/m)
  assert.match(altered, /^segment\.ms +5000 +dynamic-topic$/m)
  assert.match(altered, /^retention\.ms +604800000 +default$/m)
  assert.equal((await monedula(cluster, 'topic create orders --if-not-exists')).stdout, 'orders exists\n')
  assert.equal((await monedula(cluster, 'topic delete orders')).stdout, 'deleted orders\n')
  assert.equal((await monedula(cluster, 'topic list')).stdout, '')
  assert.equal((await monedula(cluster, 'topic delete orders --if-exists')).stdout, 'orders does not exist\n')
})

test('a group goes on where it stands, and its lag is described', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\n' })
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'one\ntwo\n')
  await monedula(cluster, 'produce orders', { input: 'three\n' })
  const { stdout } = await monedula(cluster, 'group describe billing')
  assert.match(stdout, /^billing: Empty, members: 0\n/)
  assert.match(stdout, /^orders +0 +2 +3 +1 +- +- +-$/m)
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'three\n')
  assert.match((await monedula(cluster, 'group list')).stdout, /^billing +Empty$/m)
})

test('a group is moved, and deleted, when nobody reads in it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\nthree\n' })
  await monedula(cluster, 'consume orders -g billing')
  const planned = await monedula(cluster, 'group reset billing --to -2 --dry-run')
  assert.match(planned.stdout, /^orders +0 +3 +1$/m)
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, '')
  await monedula(cluster, 'group reset billing --to 1')
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'two\nthree\n')
  assert.match((await monedula(cluster, 'group reset new --to end --topic orders')).stdout, /^orders +0 +- +3$/m)
  assert.equal((await monedula(cluster, 'group delete billing new')).stdout, 'deleted billing\ndeleted new\n')
  assert.match(await refusal(cluster, 'group describe billing'), /^monedula: there is no group billing; [^\n]+\n$/)
})

test('a group is described with who reads what, and not moved while somebody does', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const reader = startMonedula(cluster, 'consume orders --follow --from-beginning -g billing -X client.id=till')
  await monedula(cluster, 'produce orders', { input: 'one\n' })
  await reader.until(stdout => stdout === 'one\n')
  const { stdout } = await monedula(cluster, 'group describe billing')
  assert.match(stdout, /^billing: Stable, members: 1\n/)
  assert.match(stdout, /^orders +0 +\S+ +1 +\S+ +till-\S+ +till +\/?127\.0\.0\.1$/m)
  assert.match(
    await refusal(cluster, 'group reset billing --to end --topic orders'),
    /^monedula: group billing has members: [^\n]+\n$/,
  )
  reader.kill('SIGINT')
  assert.equal(await reader.ended(), 0)
  // It has left, and what it had printed is committed.
  const after = (await monedula(cluster, 'group describe billing')).stdout
  assert.match(after, /^billing: Empty, members: 0\n/)
  assert.match(after, /^orders +0 +1 +1 +0 +-/m)
})

test('a failure is one line that names what is wrong, and exit code 1', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const refusals: readonly (readonly [words: string, line: RegExp])[] = [
    ['topic create orders', /^orders: .*already exists/],
    [
      'topic create orders -c retention',
      /^option '-c, --config <name=value>' argument 'retention' is invalid.*name=value/,
    ],
    ['topic alter orders', /^nothing to alter: give --partitions/],
    ['topic alter orders -p 1', /^orders: /],
    ['consume none', /^there is no topic none: make it with monedula topic create none$/],
    ['consume orders -p 3', /^--partition 3: orders has partitions 0 to 0$/],
    ['consume orders -o yesterday', /'yesterday' is invalid.*beginning, end/],
    ['consume orders -g billing -o end', /^--offset: a group goes on where it stands/],
    ['consume orders --format %y', /^--format: there is no %y; there are %t topic/],
    ['consume orders --folow', /^unknown option '--folow' \(Did you mean --follow\?\); see monedula consume --help$/],
    ['consume orders -n none', /'none' is invalid. Give a whole number from 1 on; see monedula consume --help$/],
    [
      'consume orders -X fetch.min.byte=1',
      /^Unknown configuration fetch\.min\.byte: did you mean fetch\.min\.bytes\?$/,
    ],
    ['consume', /^missing required argument 'topic'; see monedula consume --help$/],
    ['topic crate', /^unknown command 'crate' \(Did you mean create\?\); see monedula topic --help$/],
    ['produce orders --file /nowhere/at-all', /\/nowhere\/at-all/],
    ['produce orders --json --parse-headers', /'-j, --json' cannot be used with option '--parse-headers'/],
    ['produce orders -z rar', /'rar' is invalid. Allowed choices are none, gzip/],
    ['produce orders --property parse.keys=true', /^--property parse\.keys: there are parse\.key, /],
    ['produce orders -p 5 -X max.block.ms=500', /orders/],
    ['group describe nobody', /^there is no group nobody/],
  ]
  for (const [words, line] of refusals) {
    const shown = await refusal(cluster, words, 'a line\n')
    assert.match(shown, /^monedula: [^\n]+\n$/, words)
    assert.match(shown.slice('monedula: '.length).trimEnd(), line, words)
  }
})

test('of several topics or groups, one that cannot be deleted does not keep the others', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'returns'] })
  const topics = await monedula(cluster, 'topic delete orders none returns', { expectedCodes: [1] })
  assert.equal(topics.stdout, 'deleted orders\ndeleted returns\n')
  assert.match(topics.stderr, /^monedula: none: [^\n]+\n$/)
  await monedula(cluster, 'topic create orders')
  for (const group of ['first', 'second']) await monedula(cluster, `group reset ${group} --to end --topic orders`)
  const groups = await monedula(cluster, 'group delete first none second', { expectedCodes: [1] })
  assert.equal(groups.stdout, 'deleted first\ndeleted second\n')
  assert.match(groups.stderr, /^monedula: none: [^\n]+\n$/)
})

test('a broker that cannot be reached is named, with the way out', async () => {
  const nobody = { bootstrapServers: `127.0.0.1:${await freePort()}` }
  const commands = ['topic list', 'consume orders', 'produce orders', 'group list']
  const all = await Promise.all(commands.map(words => refusal(nobody, words, 'lost\n')))
  for (const shown of all) {
    const [warning = '', failure = '', rest] = shown.split('\n')
    assert.match(warning, /^monedula: warning: .*ECONNREFUSED; trying again$/)
    assert.match(failure, /^monedula: no broker of /)
    assert.equal(rest, '')
    assert.ok(warning.includes(nobody.bootstrapServers) && failure.includes(nobody.bootstrapServers), shown)
    assert.match(
      failure,
      /is a broker running there\? Name one with --bootstrap-server, or run one with: monedula start/,
    )
  }
})

test('an address that says nothing is named long before the command gives up', async () => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bootstrapServers = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const program = startMonedula({ bootstrapServers }, 'topic list -X default.api.timeout.ms=600000')
  try {
    const line = `monedula: warning: no answer from ${bootstrapServers} yet; still trying\n`
    await program.until((_, stderr) => stderr === line)
  } finally {
    program.kill('SIGKILL')
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})

test('consume --follow waits for a broker that is not there yet', async () => {
  const port = await freePort()
  const program = startMonedula({ bootstrapServers: `127.0.0.1:${port}` }, 'consume orders --follow --from-beginning')
  try {
    await program.until((_, stderr) => stderr.includes('ECONNREFUSED; trying again'))
    await using cluster = await startCluster({
      topics: ['orders'],
      config: { listeners: `PLAINTEXT://127.0.0.1:${port}` },
    })
    await monedula(cluster, 'produce orders', { input: 'late\n' })
    await program.until(stdout => stdout.includes('late'))
    program.kill('SIGINT')
    assert.equal(await program.ended(), 0)
  } finally {
    program.kill('SIGKILL')
  }
})

test('every command shows an example in its help', async () => {
  const commands = ['start', 'demo', 'produce', 'consume']
  const topics = ['create', 'list', 'describe', 'alter', 'delete'].map(name => `topic ${name}`)
  const groups = ['list', 'describe', 'reset', 'delete'].map(name => `group ${name}`)
  for (const command of [...commands, ...topics, ...groups]) {
    const { stdout } = await run(process.execPath, [bin('monedula.js'), ...command.split(' '), '--help'])
    assert.ok(stdout.includes(`\nExample:\n`) && stdout.includes(`monedula ${command}`), stdout)
  }
})

test('demo shows records flowing, and ends', async () => {
  const { stdout } = await run(process.execPath, [bin('monedula.js'), 'demo', '--count', '2'])
  assert.match(stdout, /orders-\d at 0 {2}user0 +\{"item":"apples","count":1\}\n/)
  assert.match(stdout, /orders-\d at \d {2}user1 +\{"item":"pears","count":2\}\n/)
  const next = `node ${relative('', bin('monedula.js'))} start`
  assert.ok(stdout.endsWith(`Run a broker that keeps its records with: ${next}\n`), stdout)
})

test('a reader of the output that has gone does not make a success of a failure', async () => {
  const failures = new URL('../../src/cli/failures.js', import.meta.url)
  const script = `
    import { oneLineOnFailure } from '${failures}'
    await oneLineOnFailure(async () => { throw new Error('no') })
    process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))`
  const { stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { expectedCodes: [1] })
  assert.equal(stderr, 'monedula: no\n')
})
