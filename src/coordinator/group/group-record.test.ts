import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group-record.ts'

/** Bytes that Apache Kafka 3.9.1's own generated classes give for the same values. */
const KAFKA = {
  offsetKey: '0001000567726f75700005746f70696300000003',
  offsetV3: '0003000000000000002a0000000700046e6f74650000018bcfe56800',
  offsetV1: '0001000000000000002a00046e6f74650000018bcfe568000000018bcfe56be8',
  groupKey: '0002000567726f7570',
  groupV0:
    '00000008636f6e73756d657200000005000572616e676500086d656d6265722d310000000100086d656d6265722d310006636c69656e7400' +
    '0a2f3132372e302e302e310000271000000003010203000000020405',
  groupV3:
    '00030008636f6e73756d657200000005000572616e676500086d656d6265722d310000018bcfe568000000000100086d656d6265722d3100' +
    '08696e7374616e63650006636c69656e74000a2f3132372e302e302e310000ea600000271000000003010203000000020405',
  groupV4:
    '000409636f6e73756d6572000000050672616e6765096d656d6265722d310000018bcfe5680002096d656d6265722d3109696e7374616e63' +
    '6507636c69656e740b2f3132372e302e302e310000ea6000002710040102030304050000',
  emptyV3: '00030008636f6e73756d657200000006ffffffff0000018bcfe5680000000000',
} as const

const AT = 1_700_000_000_000

function offset(expireTimestamp: number, leaderEpoch: number): GroupRecord {
  const value = { offset: 42, leaderEpoch, metadata: 'note', commitTimestamp: AT, expireTimestamp }
  return { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 3, value }
}

const member = {
  memberId: 'member-1',
  groupInstanceId: 'instance',
  clientId: 'client',
  clientHost: '/127.0.0.1',
  rebalanceTimeout: 60_000,
  sessionTimeout: 10_000,
  subscription: Buffer.from([1, 2, 3]),
  assignment: Buffer.from([4, 5]),
}

function group(rest: Partial<Extract<GroupRecord, { kind: 'groupMetadata' }>['value'] & object> = {}): GroupRecord {
  const value = {
    protocolType: 'consumer',
    generation: 5,
    protocol: 'range',
    leader: 'member-1',
    currentStateTimestamp: AT,
    members: [member],
    ...rest,
  }
  return { kind: 'groupMetadata', groupId: 'group', value }
}

function hex(record: GroupRecord): (string | null)[] {
  const { key, value } = encodeGroupRecord(record)
  return [Buffer.from(key).toString('hex'), value && Buffer.from(value).toString('hex')]
}

function decoded(key: string, value: string | null): GroupRecord | undefined {
  return decodeGroupRecord(Buffer.from(key, 'hex'), value === null ? null : Buffer.from(value, 'hex'))
}

describe('records of __consumer_offsets', () => {
  it("are Kafka's, byte for byte", () => {
    assert.deepEqual(hex(offset(-1, 7)), [KAFKA.offsetKey, KAFKA.offsetV3])
    assert.deepEqual(hex(offset(AT + 1000, 7)), [KAFKA.offsetKey, KAFKA.offsetV1])
    assert.deepEqual(hex(group()), [KAFKA.groupKey, KAFKA.groupV3])
    const empty = group({ generation: 6, protocol: null, leader: null, members: [] })
    assert.deepEqual(hex(empty), [KAFKA.groupKey, KAFKA.emptyV3])
    assert.deepEqual(hex({ kind: 'groupMetadata', groupId: 'group', value: null }), [KAFKA.groupKey, null])
  })

  it('are read in every version there has been', () => {
    assert.deepEqual(decoded(KAFKA.offsetKey, KAFKA.offsetV3), offset(-1, 7))
    assert.deepEqual(decoded(KAFKA.offsetKey.replace(/^0001/, '0000'), KAFKA.offsetV1), offset(AT + 1000, -1))
    assert.deepEqual(decoded(KAFKA.groupKey, KAFKA.groupV3), group())
    assert.deepEqual(decoded(KAFKA.groupKey, KAFKA.groupV4), group())
    assert.deepEqual(
      decoded(KAFKA.groupKey, KAFKA.groupV0),
      group({
        currentStateTimestamp: -1,
        members: [{ ...member, groupInstanceId: null, rebalanceTimeout: 10_000 }],
      }),
    )
    assert.deepEqual(decoded(KAFKA.groupKey, null), { kind: 'groupMetadata', groupId: 'group', value: null })
  })

  it('of a kind that is not known are passed over', () => {
    assert.equal(decoded('0003000567726f7570', '0000'), undefined)
    assert.equal(decoded('ffff', null), undefined)
  })

  it('that are cut short are refused', () => {
    assert.throws(() => decoded(KAFKA.offsetKey.slice(0, -2), null))
    assert.throws(() => decoded(KAFKA.groupKey, KAFKA.groupV3.slice(0, -2)))
    assert.throws(() => decoded('00', null))
  })
})
