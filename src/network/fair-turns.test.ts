import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { SimulatedClock } from '../platform/index.ts'
import { FairTurns, Share, type Weight } from './fair-turns.ts'

const SMALL = { isSequel: false, bytes: 30 }

/** A clock that work makes go on within a turn. */
class WorkingClock extends SimulatedClock {
  #workedMs = 0
  #due: (() => void)[] = []

  work(ms: number): void {
    this.#workedMs += ms
  }

  override soon(callback: () => void): void {
    this.#due.push(callback)
  }

  /** One turn of the loop, and not all that follow from it. */
  turn(): void {
    const due = this.#due
    this.#due = []
    for (const callback of due) callback()
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
    turns.ended(begunMs, share)
    assert.equal(share.weight, costMs >= 2 ? 'heavy' : 'light')
  }
  const share = Object.assign(new Share(), { weight: was, costMs: was === 'heavy' ? 2 : 0 })
  if (turns.mayStart(share)) run()
  else turns.later(share, run)
}

/** A connection that sends cheap requests without a pause: it starts as many as it may whenever it may. */
function flood(name: string): void {
  const share = Object.assign(new Share(), { weight: 'light' })
  const run = (): void => {
    do {
      ran.push(name)
      const begunMs = turns.begin()
      clock.work(0.5)
      turns.ended(begunMs, share)
    } while (turns.mayStart(share))
    turns.later(share, run)
  }
  run()
}

function nextTurn(): void {
  ran.push('|')
  clock.turn()
}

test('light requests start at once until a turn is full, and go on in the next', () => {
  for (let index = 0; index < 14; index++) request(`${index}`, 1)
  assert.equal(ran.length, 10)
  nextTurn()
  assert.deepEqual(ran.slice(10), ['|', '10', '11', '12', '13'])
})

test('a light request waits for one heavy one at the most', () => {
  for (let index = 0; index < 20; index++) request(`heavy ${index}`, 8)
  request('light', 0.1)
  assert.deepEqual(ran, ['heavy 0', 'light'])
})

test('every heavy request has its turn, whatever the light ones do', () => {
  for (let index = 0; index < 3; index++) request(`heavy ${index}`, 50)
  for (let index = 0; index < 40; index++) request('light', 1)
  for (let turn = 0; turn < 10; turn++) nextTurn()
  assert.equal(ran.filter(name => name.startsWith('heavy')).length, 3)
  assert.equal(ran.filter(name => name === 'light').length, 40)
})

test('of connections that are new one turns out heavy, and the others make way for light ones', () => {
  for (let index = 0; index < 20; index++) request(`new ${index}`, 50, 'unknown')
  request('light', 0.1)
  nextTurn()
  assert.deepEqual(ran.slice(0, 4), ['new 0', 'light', '|', 'new 1'])
})

test('new connections that do little have their first answers in one turn', () => {
  for (let index = 0; index < 15; index++) request(`new ${index}`, 0.1, 'unknown')
  assert.equal(ran.length, 15)
})

test('a light request waits for a few milliseconds of those who flood, however many they are', () => {
  for (let index = 0; index < 50; index++) flood('flood')
  // They are told by what they have had.
  for (let turn = 0; turn < 20; turn++) nextTurn()
  request('light', 0.1)
  assert.equal(ran.at(-1), 'light')
  ran = []
  nextTurn()
  assert.ok(ran.length > 1)
  assert.ok(ran.length <= 1 + 8, `${ran.length - 1} requests of floods in a turn`)
})

test('who is new has a turn before all that are heavy, and those have one before all that are new', () => {
  for (let index = 0; index < 5; index++) request(`heavy ${index}`, 50)
  for (let index = 0; index < 5; index++) request(`new ${index}`, 50, 'unknown')
  for (let turn = 0; turn < 4; turn++) nextTurn()
  assert.deepEqual(
    ran.filter(name => name !== '|').map(name => name.split(' ')[0]),
    ['heavy', 'heavy', 'new', 'new', 'heavy'],
  )
})

test('long work is done in turns, one part a turn, whoever else has some, and an answer is there at once where it is short', async () => {
  function* work(name: string, pieces: number): Generator<void, string> {
    for (let piece = 0; piece < pieces; piece++) {
      ran.push(name)
      clock.work(1)
      yield
    }
    return name
  }
  assert.equal(turns.inPieces(work('short', 1), new Share(), SMALL), 'short')
  const shares = Array.from({ length: 3 }, () => new Share())
  const long = shares.map((share, index) => turns.inPieces(work(`${index}`, 6), share, SMALL))
  ran = []
  for (let turn = 0; turn < 8; turn++) nextTurn()
  assert.deepEqual(await Promise.all(long), ['0', '1', '2'])
  assert.deepEqual(ran.join(' ').split(' | ').slice(0, 4), ['| 0 0', '0 0', '1 1', '1 1'])
  assert.deepEqual(
    shares.map(({ weight }) => weight),
    ['heavy', 'heavy', 'heavy'],
  )
})

test('of long work for large requests no more waits than memory allows, and the rest is done at once', async () => {
  function* work(): Generator<void, string> {
    for (let piece = 0; piece < 3; piece++) {
      clock.work(5)
      yield
    }
    return 'done'
  }
  const large = { isSequel: false, bytes: 3 << 20 }
  const waiting = turns.inPieces(work(), new Share(), large)
  assert.ok(waiting instanceof Promise)
  assert.equal(turns.inPieces(work(), new Share(), large), 'done')
  const small = turns.inPieces(work(), new Share(), SMALL)
  assert.ok(small instanceof Promise)
  for (let turn = 0; turn < 8; turn++) nextTurn()
  assert.deepEqual(await Promise.all([waiting, small]), ['done', 'done'])
  const next = turns.inPieces(work(), new Share(), large)
  assert.ok(next instanceof Promise)
  for (let turn = 0; turn < 8; turn++) nextTurn()
  assert.equal(await next, 'done')
})

test('work that fails in a later part rejects', async () => {
  function* work(): Generator<void, void> {
    clock.work(5)
    yield
    throw new Error('in the second part')
  }
  const result = turns.inPieces(work(), new Share(), SMALL)
  nextTurn()
  await assert.rejects(async () => result, /in the second part/)
})
