/** Keys and values of control records. */
import { array, data, int16, int32, int64, type MessageOf, string, struct, uint16, uuid } from '../../schema.ts'

/** Key of a control record, behind its version. */
export const ControlRecordTypeSchema = data(
  'ControlRecordTypeSchema',
  { versions: '0', flexible: 'none' },
  {
    type: int16(),
  },
)
export type ControlRecordTypeSchema = MessageOf<typeof ControlRecordTypeSchema>

/** Value of a transaction's commit or abort marker. */
export const EndTxnMarker = data(
  'EndTxnMarker',
  { versions: '0', flexible: 'none' },
  {
    coordinatorEpoch: int32(),
  },
)
export type EndTxnMarker = MessageOf<typeof EndTxnMarker>

const voter = {
  voterId: int32(),
  voterDirectoryId: uuid().from(1),
}

/** KRaft control record: a new leader of the quorum. */
export const LeaderChangeMessage = data(
  'LeaderChangeMessage',
  { versions: '0-1', flexible: '0+' },
  {
    version: int16(),
    leaderId: int32(),
    voters: array(voter),
    grantingVoters: array(voter),
  },
)
export type LeaderChangeMessage = MessageOf<typeof LeaderChangeMessage>

/** KRaft control record: the first of a snapshot. */
export const SnapshotHeaderRecord = data(
  'SnapshotHeaderRecord',
  { versions: '0', flexible: '0+' },
  {
    version: int16(),
    lastContainedLogTimestamp: int64(),
  },
)
export type SnapshotHeaderRecord = MessageOf<typeof SnapshotHeaderRecord>

/** KRaft control record: the last of a snapshot. */
export const SnapshotFooterRecord = data(
  'SnapshotFooterRecord',
  { versions: '0', flexible: '0+' },
  {
    version: int16(),
  },
)
export type SnapshotFooterRecord = MessageOf<typeof SnapshotFooterRecord>

/** KRaft control record: the version of the protocol. */
export const KRaftVersionRecord = data(
  'KRaftVersionRecord',
  { versions: '0', flexible: '0+' },
  {
    version: int16(),
    kRaftVersion: int16(),
  },
)
export type KRaftVersionRecord = MessageOf<typeof KRaftVersionRecord>

/** KRaft control record: the set of voters. */
export const VotersRecord = data(
  'VotersRecord',
  { versions: '0', flexible: '0+' },
  {
    version: int16(),
    voters: array({
      voterId: int32(),
      voterDirectoryId: uuid(),
      endpoints: array({
        name: string(),
        host: string(),
        port: uint16(),
      }),
      kRaftVersionFeature: struct({
        minSupportedVersion: int16(),
        maxSupportedVersion: int16(),
      }),
    }),
  },
)
export type VotersRecord = MessageOf<typeof VotersRecord>
