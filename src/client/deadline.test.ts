import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryNetwork, type Network, SimulatedClock, seededRandom } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { Admin } from './admin/admin.ts'
import { Patient } from './deadline.ts'

/** What becomes of `promise`, and how long that took; time stands still before it is asked for. */
async function outcome(clock: SimulatedClock, promise: Promise<unknown>): Promise<string> {
  let text = ''
  const startMs = clock.monotonicMs()
  void promise.then(
    () => {
      text = `done after ${clock.monotonicMs() - startMs} ms`
    },
    error => {
      text = `${error.code ?? error.message} after ${clock.monotonicMs() - startMs} ms: ${error.message}`
    },
  )
  for (let waited = 0; text === '' && waited < 120_000; waited += 10) await clock.advance(10)
  return text
}

/** Takes connections, and says nothing. */
async function silentNetwork(clock: SimulatedClock): Promise<Network> {
  const network = new MemoryNetwork(clock)
  await network.listen('broker', 9092, connection =>
    connection.start({ target: () => Buffer.alloc(4096), received() {}, drained() {}, closed() {} }),
  )
  return network
}

/** Never says whether there is anybody. */
const blackHole: Network = {
  listen: () => Promise.reject(new Error('nobody comes by')),
  hostName: () => 'nowhere',
  connect: () => new Promise(() => undefined),
}

const adminOver = (network: Network, clock: SimulatedClock): Admin =>
  new Admin({ bootstrapServers: 'broker:9092', platform: { network, clock, random: seededRandom(1) } })

test('a call that can neither connect nor hear of anything ends when its time is over, not when its request does', async () => {
  const clock = new SimulatedClock()
  for (const network of [blackHole, await silentNetwork(clock)]) {
    const admin = adminOver(network, clock)
    const text = await outcome(clock, admin.listTopics({ timeoutMs: 300 }))
    assert.equal(text, 'REQUEST_TIMED_OUT after 300 ms: listing topics was not done within 300 ms')
    admin.close()
  }
})

test('a call that says nothing of its own ends after default.api.timeout.ms', async () => {
  const clock = new SimulatedClock()
  const platform = { network: blackHole, clock, random: seededRandom(1) }
  const admin = new Admin({ bootstrapServers: 'broker:9092', defaultApiTimeoutMs: 700, platform })
  const text = await outcome(clock, admin.createTopics([{ name: 'orders' }]))
  assert.equal(text, 'REQUEST_TIMED_OUT after 700 ms: creating topics was not done within 700 ms')
})

test('who waits within a time hears of the end once, with the failure before it', async () => {
  const clock = new SimulatedClock()
  const patient = new Patient(clock, { timeoutMs: 50 })
  const failure = new KafkaError('NOT_CONTROLLER', 'not here')
  const late = patient.within(new Promise(() => undefined), 'asking', failure)
  assert.equal(await outcome(clock, late), 'REQUEST_TIMED_OUT after 50 ms: asking was not done within 50 ms: not here')
  assert.equal(
    await late.catch(error => patient.timedOut('asking again', error).message),
    'asking was not done within 50 ms: not here',
  )
})

test('an answer in time leaves no timer behind, and neither does a failure or a signal', async () => {
  const clock = new SimulatedClock()
  const controller = new AbortController()
  const patient = new Patient(clock, { timeoutMs: 50, signal: controller.signal })
  assert.equal(await patient.within(Promise.resolve('yes'), 'asking'), 'yes')
  await assert.rejects(patient.within(Promise.reject(new Error('no')), 'asking'), /no/)
  const given = patient.within(new Promise(() => undefined), 'asking')
  controller.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  assert.equal(clock.pendingTimers, 0)
})
