/** What a leader knows of one of its followers (Kafka's Replica). */
export class RemoteReplica {
  readonly brokerId: number
  #endOffset = -1
  #startOffset = -1

  constructor(brokerId: number) {
    this.brokerId = brokerId
  }

  /** End of what it has, or -1 before its first fetch in this leader epoch. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** Where its log starts, or -1 before its first fetch in this leader epoch. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** It has asked for records from `offset` on, so it has all before. */
  fetched(offset: number, logStartOffset: number): void {
    this.#endOffset = offset
    this.#startOffset = logStartOffset
  }
}
