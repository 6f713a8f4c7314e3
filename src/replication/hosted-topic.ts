import { isInternalTopic } from '../metadata/index.ts'
import type { Partition } from './partition.ts'

/**
 * A topic of which this broker hosts partitions. The counters are plain numbers that the append and fetch paths raise;
 * metrics read them when asked.
 */
export class HostedTopic {
  readonly name: string
  readonly topicId: string
  /** The broker itself writes it: no client produces to it or deletes its records. */
  readonly isInternal: boolean
  /** By partition number; holes where another broker hosts the partition. */
  readonly partitions: (Partition | undefined)[] = []
  /** How many they are. */
  partitionCount = 0
  /** Records and bytes appended, and bytes of records read by consumers, since the start. */
  messagesIn = 0
  bytesIn = 0
  bytesOut = 0
  produceRequests = 0
  failedProduceRequests = 0
  fetchRequests = 0
  failedFetchRequests = 0

  constructor(name: string, topicId: string) {
    this.name = name
    this.topicId = topicId
    this.isInternal = isInternalTopic(name)
  }
}
