import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CheckOptions, checkHistory, type Operation, type Result, type Verdict } from './index.ts'
import { Story } from './story.fixture.ts'

function verdicts(tell: (story: Story) => unknown, options?: CheckOptions): Verdict[] {
  const story = new Story()
  tell(story)
  return [...new Set(checkHistory(story.recorder.events, options).map(({ verdict }) => verdict))].sort()
}

/** Each must be found, and nothing else with it. */
const BAD: readonly (readonly [what: string, verdict: Verdict, tell: (story: Story) => void])[] = [
  ['an acknowledged record is not there', 'lost', s => s.sent('a b', 0).audit('a')],
  ['an acknowledged record is gone after a kill', 'lost', s => s.sent('a', 0).crash(false).audit('')],
  ['what promised to survive is gone with the power', 'lost', s => s.sent('a', 0).crash(true).audit('')],
  [
    'what was acknowledged after the power was back is gone',
    'lost',
    s => s.crash(true).sent('a', 0, { survives: false }).audit(''),
  ],
  ['a record above what was deleted is gone', 'lost', s => s.sent('a b', 0).trim(1).audit('', undefined, 1)],
  ['an idempotent record is there twice', 'duplicate', s => s.sent('a', 0).audit('a a')],
  [
    'an idempotent record that was sent again is there twice',
    'duplicate',
    s => {
      s.sending('a').recorder.retry(1)
      s.audit('a a')
    },
  ],
  [
    'a record is there more often than it was sent',
    'duplicate',
    s => s.sending('a', { isIdempotent: false }).audit('a a'),
  ],
  [
    'a record is before one that was acknowledged before it was sent',
    'reordered',
    s => {
      s.sending('a', { producer: 'p' }).recorder.ok(1)
      s.sending('b', { producer: 'q' }).recorder.ok(2)
      s.audit('b a')
    },
  ],
  [
    'records of an idempotent producer that waits for no answer are in another order',
    'reordered',
    s => s.sending('a').sending('b').audit('b a'),
  ],
  ['the records of a batch are in another order', 'reordered', s => s.sending('a b').audit('b a')],
  ['a record is not where its producer was told', 'inconsistent offset', s => s.sent('a', 1).audit('a')],
  [
    'two readers get different records at one offset',
    'inconsistent offset',
    s => s.sending('a').sending('b').poll(0, 'b', 1).audit('a 2:b'),
  ],
  [
    'an offset has another record in the same epoch after the power was cut',
    'inconsistent offset',
    s => {
      s.sending('a', { survives: false })
      s.poll(0, 'a', 1)
      s.crash(true)
      s.sending('b', { producer: 'q' })
      s.audit('b')
    },
  ],
  ['a record is there that nobody wrote', 'unwritten', s => s.sent('a', 0).audit('a x')],
  [
    'a record is there that was refused',
    'unwritten',
    s => {
      s.sending('a').recorder.fail(1)
      s.audit('a')
    },
  ],
  [
    'a reader of committed records sees an aborted one',
    'aborted read',
    s => s.sent('a', 0, { transaction: 'x' }).end('x', false).poll(0, 'a', 1).audit('a', 'uncommitted'),
  ],
  [
    'a reader of committed records sees one whose transaction is open',
    'aborted read',
    s => s.sent('a', 0, { transaction: 'x' }).poll(0, 'a', 1).end('x').audit('a'),
  ],
  ['a transaction that nobody ended is seen', 'aborted read', s => s.sent('a', 0, { transaction: 'x' }).audit('a')],
  [
    'a part of a committed transaction is not to be seen',
    'torn transaction',
    s => s.sent('a b', 0, { transaction: 'x' }).end('x').audit('a b', 'uncommitted').audit('a', 'committed'),
  ],
  [
    'a transaction whose commit was never answered is there in part',
    'torn transaction',
    s => {
      s.sent('a', 0, { transaction: 'x' })
      s.sent('b', 1, { transaction: 'x' })
      s.recorder.invoke({ kind: 'end', transaction: 'x', isCommit: true })
      s.audit('a b', 'uncommitted')
      s.audit('1:b', 'committed')
    },
  ],
  ['a consumer goes past a record', 'skipped', s => s.sent('a b', 0).poll(0, '1:b', 2).audit('a b')],
  ['a consumer gets nothing and goes on', 'skipped', s => s.sent('a b', 0).poll(0, '', 2).audit('a b')],
  ['the records of a poll do not rise', 'not monotonic', s => s.sent('a b', 0).poll(0, '1:b 0:a', 2).audit('a b')],
  ['a poll answers with what is behind it', 'not monotonic', s => s.sent('a b', 0).poll(1, '0:a 1:b', 2).audit('a b')],
  [
    'a consumer is not where it was',
    'not monotonic',
    s => s.sent('a b', 0).poll(0, 'a', 1).poll(0, 'a', 1).audit('a b'),
  ],
  ['an acknowledged offset went back', 'offset regression', s => s.commitOffset(3).commitOffset(7).fetchOffset(3)],
  ['an acknowledged offset is gone', 'offset regression', s => s.commitOffset(3).crash(true).fetchOffset(-1)],
  [
    'the offset of a committed transaction is not there',
    'offset regression',
    s => s.commitOffset(3).commitOffset(7, { transaction: 'x' }).end('x').fetchOffset(3),
  ],
  [
    'the offset of an aborted transaction is there',
    'inconsistent offset',
    s => s.commitOffset(3).commitOffset(7, { transaction: 'x' }).end('x', false).fetchOffset(7),
  ],
  [
    'what a consumer saw before a crash is not there after it',
    'unseen after recovery',
    s => s.sending('a').poll(0, 'a', 1).crash(false).audit(''),
  ],
  [
    'a consumer saw what promised to survive, and the power took it',
    'unseen after recovery',
    s => s.sending('a').poll(0, 'a', 1).crash(true).audit(''),
  ],
  [
    'a member of an old generation commits an offset',
    'zombie',
    s => {
      const old = { of: 'g', number: 1 }
      s.take('m', 1)
      s.take('n', 2)
      s.recorder.note({ kind: 'commit-offset', group: 'g', partition: 't-0', offset: 1, survives: true, session: old })
    },
  ],
  [
    'a producer writes whose transactional id was taken',
    'zombie',
    s =>
      s
        .take('m', 1)
        .take('n', 2)
        .sent('a', 0, { session: { of: 'g', number: 1 } })
        .audit('a'),
  ],
  [
    'a process of an instance commits after the next has its place',
    'zombie',
    s => {
      s.take('i', 1, [], { of: 'g/i' })
      s.take('i', 2, [], { of: 'g/i' })
      const instance = { of: 'g/i', number: 1 }
      s.recorder.note({ kind: 'commit-offset', group: 'g', partition: 't-0', offset: 1, survives: true, instance })
    },
  ],
  [
    'a member gets what another keeps',
    'owned twice',
    s => s.take('m', 2, ['t-1'], { keeps: ['t-0'] }).take('n', 2, ['t-0']),
  ],
  ['records are gone that nobody deleted', 'lost', s => s.sent('a b', 0).audit('b', undefined, 1)],
  [
    'a transaction of after a power cut is torn',
    'torn transaction',
    s => {
      s.crash(true)
      s.sent('a b', 0, { transaction: 'x', survives: false })
      s.end('x').audit('a b', 'uncommitted').audit('a', 'committed')
    },
  ],
  [
    'an aborted transaction of after a power cut is read',
    'aborted read',
    s => s.crash(true).sent('a', 0, { transaction: 'x', survives: false }).end('x', false).audit('a'),
  ],
  ['two members own one partition', 'owned twice', s => s.take('m', 1, ['t-0', 't-1']).take('n', 1, ['t-1'])],
  ['a generation is smaller than the one before', 'generation regression', s => s.take('m', 4).take('n', 3)],
]

for (const [what, verdict, tell] of BAD) {
  test(`a history is bad when ${what}: ${verdict}`, () => assert.deepEqual(verdicts(tell), [verdict]))
}

const GOOD: readonly (readonly [what: string, tell: (story: Story) => void])[] = [
  [
    'records are read as they were written, through a kill',
    s => {
      s.sent('a b', 0)
      s.poll(0, 'a b', 2)
      s.crash(false)
      s.sent('c', 2)
      s.poll(2, 'c', 3)
      s.audit('a b c')
    },
  ],
  ['an unanswered record is there', s => s.sending('a').audit('a')],
  ['an unanswered record is not there', s => s.sending('a').audit('')],
  [
    'a record that was sent again without idempotence is there twice',
    s => {
      s.sending('a', { isIdempotent: false }).recorder.retry(1)
      s.audit('a a')
    },
  ],
  ['what was not synced is gone with the power', s => s.sent('a', 0, { survives: false }).crash(true).audit('')],
  [
    'a later epoch has another record where the power took one',
    s => {
      s.sent('a', 0, { survives: false })
      s.poll(0, 'a', 1)
      s.crash(true)
      s.sent('b', 0, { producer: 'q' })
      s.audit('0.1:b')
    },
  ],
  ['deleted records are gone', s => s.sent('a b', 0).poll(0, 'a b', 2).trim(1).audit('b', undefined, 1)],
  [
    'records that nobody waited for are in any order',
    s => s.sending('a', { producer: 'p' }).sending('b', { producer: 'q' }).audit('b a'),
  ],
  [
    'a committed transaction is there and an aborted one is not',
    s => {
      s.sent('a', 0, { transaction: 'x' })
      s.sent('b', 1, { transaction: 'y' })
      s.end('x')
      s.end('y', false)
      s.poll(0, 'a', 4)
      s.audit('a b', 'uncommitted')
      s.audit('a', 'committed')
    },
  ],
  [
    'who had his place before the power took what was known of it may go on beside the next',
    s =>
      s
        .take('m', 1, [], { survives: false })
        .crash(true)
        .take('n', 2, [], { survives: false })
        .sent('a', 0, { session: { of: 'g', number: 1 } })
        .audit('a'),
  ],
  [
    'an offset that was committed between that of a transaction and its end stands',
    s => {
      s.commitOffset(3, { transaction: 'x' }).commitOffset(5)
      s.end('x')
      s.fetchOffset(5)
    },
  ],
  [
    'of a transaction whose commit was never answered there is nothing',
    s => {
      s.sent('a b', 0, { transaction: 'x' })
      s.commitOffset(5, { transaction: 'x' })
      s.recorder.invoke({ kind: 'end', transaction: 'x', isCommit: true })
      s.audit('a b', 'uncommitted')
      s.audit('', 'committed')
      s.fetchOffset(-1)
    },
  ],
  [
    'of a transaction whose commit was never answered there is everything',
    s => {
      s.sent('a b', 0, { transaction: 'x' })
      s.commitOffset(5, { transaction: 'x' })
      s.recorder.invoke({ kind: 'end', transaction: 'x', isCommit: true })
      s.audit('a b')
      s.fetchOffset(5)
    },
  ],
  [
    'a consumer reads again after a rebalance',
    s => s.sent('a b', 0).poll(0, 'a b', 2).poll(0, 'a b', 2, { seeks: true }).audit('a b'),
  ],
  [
    'a commit that nobody answered has replaced the offset, or not',
    s => {
      s.commitOffset(3)
      s.recorder.invoke({ kind: 'commit-offset', group: 'g', partition: 't-0', offset: 5, survives: true })
      s.fetchOffset(3)
      s.fetchOffset(5)
    },
  ],
  [
    'an offset is gone with the power that promised nothing',
    s => s.commitOffset(3, { survives: false }).crash(true).fetchOffset(-1),
  ],
  [
    'a group begins anew after the power took it',
    s =>
      s
        .take('m', 4, ['t-0'], { survives: false })
        .crash(true)
        .take('n', 1, ['t-0'])
        .take('m', 4, ['t-1'])
        .take('o', 4, ['t-0']),
  ],
  [
    'the power takes a part of a transaction that promised nothing, and what its coordinator knew',
    s => {
      s.sent('a', 0, { transaction: 'x', survives: false })
      s.sent('b', 1, { transaction: 'y', survives: false })
      s.end('x').end('y', false).crash(true).audit('1:b')
    },
  ],
  [
    'a member gets what another kept in the generation before',
    s =>
      s
        .take('m', 2, ['t-1'], { keeps: ['t-0'] })
        .take('m', 3, ['t-1'])
        .take('n', 3, ['t-0']),
  ],
  [
    'a reader that is told no epochs sees another record where the power took one',
    s => {
      s.sent('a', 0, { survives: false })
      s.poll(0, 'a', 1)
      s.crash(true)
      s.sent('b', 0, { producer: 'q' })
      s.poll(0, '0.-1:b', 1, { seeks: true })
      s.audit('0.1:b')
    },
  ],
  [
    'the offset of an aborted transaction is there, after a power cut that promised nothing',
    s => {
      s.commitOffset(3)
      s.commitOffset(7, { transaction: 'x', survives: false }).end('x', false)
      s.crash(true).fetchOffset(7).fetchOffset(3)
    },
  ],
  [
    'the power takes the offset of a transaction that is committed after it',
    s => {
      s.commitOffset(3).commitOffset(7, { transaction: 'x', survives: false })
      s.crash(true).end('x').fetchOffset(3)
    },
  ],
  [
    'members keep what their coordinator has forgotten',
    s => {
      s.take('m', 2, ['t-1'], { keeps: ['t-0'], survives: false })
      s.crash(true).take('n', 2, ['t-0'], { survives: false })
    },
  ],
  ['no offset was ever committed', s => s.fetchOffset(-1)],
  ['generations rise and partitions move', s => s.take('m', 1, ['t-0']).take('n', 2, ['t-0']).take('n', 2, ['t-0'])],
]

for (const [what, tell] of GOOD) {
  test(`a history is good when ${what}`, () => assert.deepEqual(verdicts(tell), []))
}

test('a record may go from a compacted partition when a later one has its key, and only then', () => {
  const tell =
    (found: string) =>
    (story: Story): void => {
      for (const [offset, key, value] of [
        [0, 'k', 'a'],
        [1, 'l', 'b'],
        [2, 'k', 'c'],
      ] as const) {
        const records = [{ key, value }]
        const operation: Operation = {
          kind: 'produce',
          producer: 'p',
          partition: 't-0',
          records,
          isIdempotent: true,
          survives: true,
        }
        story.recorder.note(operation, { offset } satisfies Result)
      }
      story.audit(found)
    }
  const isCompacted = (): boolean => true
  assert.deepEqual(verdicts(tell('1:b 2:c'), { isCompacted }), [])
  assert.deepEqual(verdicts(tell('0:a 2:c'), { isCompacted }), ['lost'])
  assert.deepEqual(verdicts(tell('1:b 2:c')), ['lost'])
})

test('a record may go when it is expired, and only then', () => {
  const tell = (story: Story): unknown => story.sent('a b', 0).audit('b', undefined, 1)
  assert.deepEqual(verdicts(tell, { isExpired: (_, value) => value === 'a' }), [])
  assert.deepEqual(verdicts(tell, { isExpired: (_, value) => value === 'b' }), ['lost'])
})

test('an operation that ends before another begins is told from one that runs beside it', () => {
  const story = new Story()
  story.sending('a', { producer: 'p' }).sent('b', 0, { producer: 'q' })
  story.recorder.ok(1, { offset: 1 })
  story.audit('b a')
  assert.deepEqual(checkHistory(story.recorder.events), [])
})
