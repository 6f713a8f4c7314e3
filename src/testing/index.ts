/// <reference types="node" preserve="true" />
export type { AdjustableClock, Clock, Timer } from '../platform/index.ts'
export { KafkaError } from '../protocol/index.ts'
export type { ControlledRequest, ControlOptions, RequestControl } from './fault-table.ts'
export { type ClusterOptions, type HowItEnds, startCluster, TestCluster } from './test-cluster.ts'
