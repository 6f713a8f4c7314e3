export { type CheckOptions, checkHistory } from './check-history.ts'
export {
  type HistoryEvent,
  HistoryRecorder,
  type Isolation,
  type Operation,
  type ReadRecord,
  type Result,
  type Session,
} from './history.ts'
export type { Anomaly, Verdict } from './operations.ts'
