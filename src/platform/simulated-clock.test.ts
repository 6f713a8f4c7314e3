import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sleep } from './clock.ts'
import { SimulatedClock } from './simulated-clock.ts'

describe('SimulatedClock', () => {
  it('runs timers in order of time, then of making, and none early', async () => {
    const clock = new SimulatedClock(1000)
    const seen: string[] = []
    clock.schedule(20, () => seen.push(`b@${clock.now()}`))
    clock.schedule(10, () => seen.push(`a@${clock.now()}`))
    clock.schedule(20, () => seen.push(`c@${clock.now()}`))
    await clock.advance(19)
    assert.deepEqual(seen, ['a@1010'])
    await clock.advance(1)
    assert.deepEqual(seen, ['a@1010', 'b@1020', 'c@1020'])
    assert.equal(clock.monotonicMs(), 20)
  })

  it('runs timers made by timers within one advance', async () => {
    const clock = new SimulatedClock(0)
    const ticks: number[] = []
    const tick = (): void => {
      ticks.push(clock.now())
      clock.schedule(5, tick)
    }
    clock.schedule(5, tick)
    await clock.advance(20)
    assert.deepEqual(ticks, [5, 10, 15, 20])
  })

  it('settles promises between timers', async () => {
    const clock = new SimulatedClock(0)
    const seen: number[] = []
    const run = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(clock, 10)
        seen.push(clock.now())
      }
    }
    const done = run()
    await clock.advance(30)
    await done
    assert.deepEqual(seen, [10, 20, 30])
  })

  it('forgets a cancelled timer', async () => {
    const clock = new SimulatedClock(0)
    const timer = clock.schedule(1, () => assert.fail('cancelled'))
    timer.cancel()
    assert.equal(clock.pendingTimers, 0)
    await clock.advance(5)
  })

  it('lets the wall clock jump without moving timers', async () => {
    const clock = new SimulatedClock(0)
    let fired = false
    clock.schedule(100, () => {
      fired = true
    })
    clock.jumpWallClock(1000)
    assert.equal(clock.now(), 1000)
    assert.equal(clock.monotonicMs(), 0)
    assert.equal(fired, false)
    await clock.advance(100)
    assert.equal(fired, true)
  })
})
