import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { SimulatedClock } from '../platform/index.ts'
import { FairTurns, type Weight } from './fair-turns.ts'

/** A clock that work makes go on within a turn. */
class WorkingClock extends SimulatedClock {
  #workedMs = 0

  work(ms: number): void {
    this.#workedMs += ms
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#workedMs
  }
}

let clock: WorkingClock
let turns: FairTurns
/** What ran, in order; a turn of the loop is marked by a bar. */
let ran: string[]

beforeEach(() => {
  clock = new WorkingClock()
  turns = new FairTurns(clock)
  ran = []
})

/** Runs a request of a connection now or when its turn comes. */
function request(name: string, costMs: number, was: Weight = costMs >= 2 ? 'heavy' : 'light'): void {
  const run = (): void => {
    ran.push(name)
    const begunMs = turns.begin()
    clock.work(costMs)
    assert.equal(turns.ended(begunMs, was), costMs >= 2 ? 'heavy' : 'light')
  }
  if (turns.mayStart(was)) run()
  else turns.later(was, run)
}

async function nextTurn(): Promise<void> {
  ran.push('|')
  await clock.advance(0)
}

test('light requests start at once until a turn is full, and go on in the next', async () => {
  for (let index = 0; index < 14; index++) request(`${index}`, 1)
  assert.equal(ran.length, 10)
  await nextTurn()
  assert.deepEqual(ran.slice(10), ['|', '10', '11', '12', '13'])
})

test('a light request waits for one heavy one at the most', () => {
  for (let index = 0; index < 20; index++) request(`heavy ${index}`, 8)
  request('light', 0.1)
  assert.deepEqual(ran, ['heavy 0', 'light'])
})

test('every heavy request has its turn, whatever the light ones do', async () => {
  for (let index = 0; index < 3; index++) request(`heavy ${index}`, 50)
  for (let index = 0; index < 40; index++) request('light', 1)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  assert.equal(ran.filter(name => name.startsWith('heavy')).length, 3)
  assert.equal(ran.filter(name => name === 'light').length, 40)
})

test('of connections that are new one turns out heavy, and the others make way for light ones', async () => {
  for (let index = 0; index < 20; index++) request(`new ${index}`, 50, 'unknown')
  request('light', 0.1)
  await nextTurn()
  assert.deepEqual(ran.slice(0, 4), ['new 0', 'light', '|', 'new 1'])
})

test('new connections that do little have their first answers in one turn', () => {
  for (let index = 0; index < 15; index++) request(`new ${index}`, 0.1, 'unknown')
  assert.equal(ran.length, 15)
})
