import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Deadline, DeadlineQueue } from './deadline-queue.ts'
import { SimulatedClock } from './simulated-clock.ts'

class Counted extends Deadline {
  count = 0

  override expired(): void {
    this.count++
  }
}

describe('DeadlineQueue', () => {
  it('forgets at once what is taken out, and runs the rest', async () => {
    const clock = new SimulatedClock(0)
    const queue = new DeadlineQueue(clock)
    const all = Array.from({ length: 200 }, () => new Counted())
    for (const [index, deadline] of all.entries()) queue.set(deadline, (index * 37) % 101)
    for (const [index, deadline] of all.entries()) if (index % 3 === 0) queue.remove(deadline)
    queue.remove(all[0]!)
    assert.equal(queue.size, all.filter((_, index) => index % 3 !== 0).length)
    await clock.advance(200)
    assert.deepEqual(
      all.map(({ count }) => count),
      all.map((_, index) => (index % 3 === 0 ? 0 : 1)),
    )
  })

  it('holds nothing of deadlines that come and go, and one timer at the most', async () => {
    const clock = new SimulatedClock(0)
    const queue = new DeadlineQueue(clock)
    for (let round = 0; round < 5000; round++) {
      const deadline = new Counted()
      queue.set(deadline, 500)
      queue.remove(deadline)
      assert.ok(clock.pendingTimers <= 1 && queue.size === 0)
      if (round % 10 === 0) await clock.advance(1)
    }
  })

  it('runs each deadline when it is due, once, and none that was cancelled', async () => {
    const clock = new SimulatedClock(0)
    const queue = new DeadlineQueue(clock)
    const seen: string[] = []
    const make = (name: string) => queue.create(() => seen.push(`${name}@${clock.now()}`))
    const [first, second, third] = [make('first'), make('second'), make('third')]
    queue.set(first, 30)
    queue.set(second, 10)
    queue.set(third, 20)
    third.unset()
    await clock.advance(100)
    assert.deepEqual(seen, ['second@10', 'first@30'])
    queue.set(third, 5)
    await clock.advance(5)
    assert.equal(seen.at(-1), 'third@105')
  })

  it('holds one timer of the clock for many deadlines that keep moving away', async () => {
    const clock = new SimulatedClock(0)
    const queue = new DeadlineQueue(clock)
    let expired = 0
    const sessions = Array.from({ length: 1000 }, () => queue.create(() => expired++))
    for (let beat = 0; beat < 20; beat++) {
      for (const session of sessions) queue.set(session, 10_000)
      assert.equal(clock.pendingTimers, 1)
      assert.equal(queue.size, 1000)
      await clock.advance(3000)
    }
    assert.equal(expired, 0)
    await clock.advance(10_000)
    assert.equal(expired, 1000)
    assert.equal(clock.pendingTimers, 0)
  })

  it('agrees with a plain list of deadlines, whatever is set, moved and cancelled', async () => {
    const action = fc.record({
      deadline: fc.nat(7),
      afterMs: fc.option(fc.nat(50), { nil: undefined }),
      passMs: fc.nat(20),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async actions => {
        const clock = new SimulatedClock(0)
        const queue = new DeadlineQueue(clock)
        const expected = new Map<number, number>()
        const fired: [number, number][] = []
        const wanted: [number, number][] = []
        const deadlines = Array.from({ length: 8 }, (_, index) => queue.create(() => fired.push([clock.now(), index])))
        const pass = async (ms: number): Promise<void> => {
          const end = clock.now() + ms
          for (const [index, at] of [...expected]) {
            if (at > end) continue
            wanted.push([at, index])
            expected.delete(index)
          }
          await clock.advance(ms)
        }
        for (const { deadline, afterMs, passMs } of actions) {
          const target = deadlines[deadline]!
          if (afterMs === undefined) {
            if (deadline % 2 === 0) target.unset()
            else queue.remove(target)
            expected.delete(deadline)
          } else {
            queue.set(target, afterMs)
            expected.set(deadline, clock.now() + afterMs)
          }
          await pass(passMs)
        }
        await pass(100)
        const sorted = (list: [number, number][]) => list.map(entry => entry.join('/')).sort()
        assert.deepEqual(sorted(fired), sorted(wanted))
      }),
      { numRuns: 100 },
    )
  })

  it('stops for good when it is closed', async () => {
    const clock = new SimulatedClock(0)
    const queue = new DeadlineQueue(clock)
    queue.set(
      queue.create(() => assert.fail('closed')),
      10,
    )
    queue.close()
    assert.equal(clock.pendingTimers, 0)
    await clock.advance(100)
  })
})
