import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Connection, MemoryNetwork, type NetworkError, ProcessClock, SimulatedClock } from './index.ts'

/** What one end gets, as text, with how it ended. */
function listen(connection: Connection): string[] {
  const heard: string[] = []
  const target = Buffer.alloc(100)
  connection.start({
    target: () => target,
    received: length => heard.push(target.toString('latin1', 0, length)),
    drained() {},
    closed: (error?: NetworkError) => heard.push(error?.code ?? 'end'),
  })
  return heard
}

async function connected(clock: SimulatedClock, delayMs: () => number) {
  const network = new MemoryNetwork(clock, { delayMs })
  const accepted: string[][] = []
  const { port } = await network.listen('127.0.0.1', 0, connection => accepted.push(listen(connection)))
  return { network, accepted, connect: () => network.connect('127.0.0.1', port, 1000) }
}

test('bytes are under way as long as they are told to be, each connection for itself', async () => {
  const clock = new SimulatedClock()
  const delays = [100, 10]
  const { accepted, connect } = await connected(clock, () => delays.shift() ?? 0)
  const [slow, fast] = [await connect(), await connect()]
  await clock.advance(200)
  delays.push(100, 10)
  slow.write([Buffer.from('a')])
  fast.write([Buffer.from('b')])
  await clock.advance(9)
  assert.deepEqual(accepted, [[], []])
  await clock.advance(1)
  assert.deepEqual(accepted, [[], ['b']])
  await clock.advance(90)
  assert.deepEqual(accepted, [['a'], ['b']])
})

test('a cut closes both ends, and nothing that was under way arrives', async () => {
  const clock = new SimulatedClock()
  const { network, accepted, connect } = await connected(clock, () => 10)
  const [cut, kept] = [await connect(), await connect()]
  const heard = listen(cut)
  await clock.advance(10)
  cut.write([Buffer.from('a')])
  kept.write([Buffer.from('b')])
  network.cut(port => port === cut.localPort)
  await clock.advance(100)
  assert.deepEqual([heard, accepted], [['ECONNRESET'], [['ECONNRESET'], ['b']]])
})

test('what a process planned is not done when it has ended, and others go on', async () => {
  const clock = new SimulatedClock()
  const ended = new ProcessClock(clock)
  const other = new ProcessClock(clock)
  const done: string[] = []
  for (const [name, process] of Object.entries({ ended, other })) {
    process.schedule(10, () => done.push(`${name} timer`))
    process.soon(() => done.push(`${name} soon`))
  }
  ended.end()
  await clock.advance(20)
  assert.deepEqual(done, ['other soon', 'other timer'])
})
