import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom } from '../platform/index.ts'
import { Deadline, DeadlineQueue } from './deadline-queue.ts'

class Recorded extends Deadline {
  readonly #clock: SimulatedClock
  expiredAtMs: number | undefined

  constructor(clock: SimulatedClock) {
    super()
    this.#clock = clock
  }

  override expired(): void {
    assert.equal(this.expiredAtMs, undefined, 'expired twice')
    this.expiredAtMs = this.#clock.monotonicMs()
  }
}

test('a deadline expires on time or late by less than one percent, never early', async () => {
  const clock = new SimulatedClock()
  const queue = new DeadlineQueue(clock)
  await clock.advance(1234)
  const delays = [0, 1, 5, 127, 128, 200, 500, 501, 1000, 30_000, 123_456]
  const deadlines = delays.map(delayMs => ({ delayMs, deadline: new Recorded(clock) }))
  for (const { delayMs, deadline } of deadlines) queue.add(deadline, delayMs)
  await clock.advance(200_000)
  for (const { delayMs, deadline } of deadlines) {
    const late = deadline.expiredAtMs! - 1234 - delayMs
    assert.ok(late >= 0 && late <= Math.max(1, delayMs / 100), `${delayMs} ms were ${late} ms late`)
  }
  assert.equal(queue.size, 0)
})

test('a removed deadline never expires, and the others do', async () => {
  const clock = new SimulatedClock()
  const queue = new DeadlineQueue(clock)
  const all = Array.from({ length: 10 }, () => new Recorded(clock))
  for (const deadline of all) queue.add(deadline, 500)
  for (const [index, deadline] of all.entries()) if (index % 3 === 0) queue.remove(deadline)
  queue.remove(all[0]!)
  assert.equal(queue.size, 6)
  await clock.advance(1000)
  assert.deepEqual(
    all.map(deadline => deadline.expiredAtMs !== undefined),
    all.map((_, index) => index % 3 !== 0),
  )
})

test('deadlines that are taken back leave one timer, not one each', async () => {
  const clock = new SimulatedClock()
  const queue = new DeadlineQueue(clock)
  for (let round = 0; round < 5000; round++) {
    const deadline = new Recorded(clock)
    queue.add(deadline, 500)
    queue.remove(deadline)
    assert.ok(clock.pendingTimers <= 1)
    if (round % 10 === 0) await clock.advance(1)
  }
})

test('deadlines of any mixture expire in order of their time', async () => {
  const random = seededRandom(7)
  const clock = new SimulatedClock()
  const queue = new DeadlineQueue(clock)
  const all: { dueMs: number; deadline: Recorded }[] = []
  for (let index = 0; index < 500; index++) {
    const delayMs = random.below(3000)
    const deadline = new Recorded(clock)
    all.push({ dueMs: clock.monotonicMs() + delayMs, deadline })
    queue.add(deadline, delayMs)
    if (random.below(4) === 0) await clock.advance(random.below(20))
  }
  await clock.advance(5000)
  for (const { dueMs, deadline } of all) {
    const late = deadline.expiredAtMs! - dueMs
    assert.ok(late >= 0 && late <= 30, `late by ${late}`)
  }
})
