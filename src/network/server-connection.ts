import { bufferPool, type Connection, type ConnectionSink, type NetworkError } from '../platform/index.ts'
import { type FairTurns, Share } from './fair-turns.ts'
import type { FrameBudget } from './frame-budget.ts'
import { FrameReader } from './frame-reader.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** What a request is answered with: a whole frame, size prefix included, in chunks; nothing (`acks=0`); or the end. */
export type Reply = readonly Uint8Array[] | 'none' | 'close'

/** Turns requests into replies. */
export interface RequestProcessor {
  /** Answers one request, now or later. It must not throw or reject: what cannot be answered is `'close'`. */
  process(frame: Uint8Array, connection: ServerConnection): Reply | Promise<Reply>
  /**
   * Whether the request may start while earlier ones of its connection that also may are unanswered. All others wait
   * for every earlier answer, as in Kafka, where a connection has one request in progress.
   */
  mayOverlap(frame: Uint8Array): boolean
  /** Whether nothing refers to the request's bytes once it is answered, so that their memory may be used again. */
  mayRecycle(frame: Uint8Array): boolean
  /** The connection is gone: whatever waits on its behalf can be dropped. */
  disconnected(connection: ServerConnection): void
}

/** Requests of one connection that are in progress at once. */
const MAX_OVERLAPPING = 64
/** Replies from this size on count for the memory of all that is unsent; smaller ones where others are in front of them. */
const LARGE_REPLY_BYTES = 64 * 1024
/** Unsent bytes above which a connection starts no further request. */
const MAX_UNSENT_BYTES = 1024 * 1024

/** A request that was started; replies leave in the order of requests. */
interface Slot {
  readonly frame: Uint8Array
  readonly overlaps: boolean
  reply: Reply | undefined
}

export interface ServerConnectionOptions {
  readonly connection: Connection
  /** The listener's name (`PLAINTEXT`) under which the peer came in. */
  readonly listenerName: string
  readonly processor: RequestProcessor
  readonly budget: FrameBudget
  /** Memory of large replies that their peers have not read. */
  readonly replies: ReplyMemory
  readonly turns: FairTurns
  /** `socket.request.max.bytes` */
  readonly maxFrameBytes: number
  readonly onClosed: (connection: ServerConnection, error: Error | undefined) => void
}

/**
 * The server's end of a connection. Requests start in order, in turns that it shares with other
 * connections, and are answered in order. What a peer can make it hold is
 * bounded by reading less: it stops reading while a request waits to be started, and while the budget is exhausted.
 */
export class ServerConnection implements ConnectionSink {
  readonly listenerName: string
  readonly #connection: Connection
  readonly #processor: RequestProcessor
  readonly #budget: FrameBudget
  readonly #replies: ReplyMemory
  /** What it has reserved of {@link #replies} for what is unsent. */
  #reservedBytes = 0
  /** What it has reserved of {@link #replies} for the answer that is being made. */
  #heldBytes = 0
  readonly #turns: FairTurns
  readonly #reader: FrameReader
  readonly #onClosed: ServerConnectionOptions['onClosed']
  readonly #waiting: Uint8Array[] = []
  readonly #slots: Slot[] = []
  #outgoing: Uint8Array[] = []
  #outgoingBytes = 0
  #isAwaitingBudget = false
  #isDelivering = false
  readonly #share = new Share()
  #isAwaitingTurn = false
  #isPaused = false
  #isClosed = false
  #isEnding = false
  #failure: Error | undefined
  #sentReplies = 0
  /** Whatever the layer above wants to remember of this peer (client name, principal). */
  session: unknown

  constructor(options: ServerConnectionOptions) {
    this.listenerName = options.listenerName
    this.#connection = options.connection
    this.#processor = options.processor
    this.#budget = options.budget
    this.#replies = options.replies
    this.#turns = options.turns
    this.#onClosed = options.onClosed
    this.#reader = new FrameReader({
      maxFrameBytes: options.maxFrameBytes,
      budget: options.budget,
      onFrame: frame => this.#waiting.push(frame),
    })
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress
  }

  get remotePort(): number {
    return this.#connection.remotePort
  }

  get localAddress(): string {
    return this.#connection.localAddress
  }

  get localPort(): number {
    return this.#connection.localPort
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether the peer was told that nothing follows: what it sends is read and forgotten until it is gone. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** Whether a request is being read, worked on or answered. */
  get isBusy(): boolean {
    return this.#slots.length > 0 || this.#waiting.length > 0 || this.isStalled
  }

  /** Whether the peer owes something: the rest of a frame, or reading what was sent to it. */
  get isStalled(): boolean {
    return this.owesRequest || this.owesReading
  }

  /** Whether the peer owes the rest of a frame. */
  get owesRequest(): boolean {
    return this.#reader.isMidFrame && !this.#isPaused
  }

  /** Whether the peer owes reading what was sent to it. */
  get owesReading(): boolean {
    return this.#connection.pendingBytes > 0
  }

  /** All bytes that have come from the peer. */
  get receivedBytes(): number {
    return this.#reader.receivedBytes
  }

  /**
   * Grows with each reply made and each byte of it taken, and never falls: a reply that is added to those unread must not
   * look like a step back.
   */
  get answered(): number {
    return this.#sentReplies + this.takenBytes
  }

  get takenBytes(): number {
    return this.#connection.sentBytes
  }

  /** What it holds of the memory of all replies that are not read. */
  get unreadBytes(): number {
    return this.#reservedBytes
  }

  /** How large a reply may be, for those of all connections not to hold more memory than they should. */
  get replyRoomBytes(): number {
    return this.#replies.roomBytes
  }

  /** Calls `resume` once when there is room for replies again. */
  whenReplyRoom(resume: () => void): void {
    this.#replies.whenAvailable(resume)
  }

  /**
   * Counts memory of the answer to the request in progress, which is one that does not overlap with others. From its answer on
   * that counts by its own size until it is sent.
   */
  hold(bytes: number): void {
    this.#heldBytes += bytes
    this.#replies.hold(bytes)
  }

  /**
   * Whether the answer that is being made must come to an end: the memory of all is spent, or it fills that of all by itself, and
   * connections of others would be closed for what nobody will be sent.
   */
  get isReplyMemorySpent(): boolean {
    return this.#replies.isSpent || this.#heldBytes > this.#replies.limitBytes
  }

  /** Runs what makes a late answer, so that its cost counts as the request's does. */
  account<T>(work: () => T): T {
    const begunMs = this.#turns.begin()
    const result = work()
    this.#turns.endedMore(begunMs, this.#share)
    return result
  }

  /** Does work of any length for an answer, a piece in each turn of this connection: {@link FairTurns.inPieces}. */
  inPieces<T>(work: Iterator<unknown, T>, isSequel = false): T | Promise<T> {
    const bytes = this.#slots.reduce((sum, { frame }) => sum + frame.length, 0)
    return this.#turns.inPieces(work, this.#share, { isSequel, bytes })
  }

  start(): void {
    this.#connection.start(this)
  }

  /** Closes at once; `why` is what the owner logs. */
  close(why?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#failure ??= why
    this.#letGo(this.#reservedBytes)
    this.#connection.destroy()
  }

  target(): Uint8Array {
    return this.#reader.target()
  }

  received(length: number): void {
    if (this.#isClosed || this.#isEnding) return
    try {
      this.#reader.received(length)
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)))
      return
    }
    if (this.#waiting.length > 0) this.#startWaiting()
    this.#brake()
  }

  drained(): void {
    this.#startWaiting()
    this.#brake()
  }

  closed(error?: NetworkError): void {
    this.#isClosed = true
    this.#letGo(this.#reservedBytes)
    this.#forgetRequests()
    this.#processor.disconnected(this)
    this.#onClosed(this, this.#failure ?? error)
  }

  /** Drops what was read and not started. */
  #forgetRequests(): void {
    this.#reader.discard()
    for (const frame of this.#waiting) this.#budget.release(frame.length)
    this.#waiting.length = 0
  }

  /** Starts waiting requests as far as order and unsent replies allow, then sends what is ready in one go. */
  #startWaiting(): void {
    this.#isDelivering = true
    do {
      while (this.#mayStartNext()) this.#startRequest(this.#waiting.shift()!)
      this.#flush()
    } while (this.#mayStartNext())
    this.#isDelivering = false
  }

  /** Whether the first of the waiting requests may start now; when only its turn has not come, it starts by itself then. */
  #mayStartNext(): boolean {
    const frame = this.#waiting[0]
    if (frame === undefined || this.#isClosed || this.#isAwaitingTurn || !this.#mayStart(frame)) return false
    if (this.#turns.mayStart(this.#share)) return true
    this.#isAwaitingTurn = true
    this.#turns.later(this.#share, () => {
      this.#isAwaitingTurn = false
      this.#takeTurn()
    })
    return false
  }

  #takeTurn(): void {
    const frame = this.#waiting[0]
    if (frame === undefined || this.#isClosed) return
    // The first request of the turn is its own: it may start whatever others have cost meanwhile.
    if (this.#mayStart(frame)) {
      this.#isDelivering = true
      this.#startRequest(this.#waiting.shift()!)
    }
    this.#startWaiting()
    this.#brake()
  }

  #mayStart(frame: Uint8Array): boolean {
    const last = this.#slots.at(-1)
    if (!last) return this.#connection.pendingBytes + this.#outgoingBytes < MAX_UNSENT_BYTES
    return last.overlaps && this.#slots.length < MAX_OVERLAPPING && this.#processor.mayOverlap(frame)
  }

  #startRequest(frame: Uint8Array): void {
    const slot: Slot = { frame, overlaps: this.#processor.mayOverlap(frame), reply: undefined }
    this.#slots.push(slot)
    const begunMs = this.#turns.begin()
    const reply = this.#processor.process(frame, this)
    this.#turns.ended(begunMs, this.#share)
    if (reply instanceof Promise) void reply.then(late => this.#finish(slot, late))
    else this.#finish(slot, reply)
  }

  #finish(slot: Slot, reply: Reply): void {
    slot.reply = reply
    this.#budget.release(slot.frame.length)
    this.#replies.release(this.#heldBytes)
    this.#heldBytes = 0
    if (this.#processor.mayRecycle(slot.frame)) bufferPool.recycle(slot.frame)
    while (this.#slots[0]?.reply !== undefined && !this.#isClosed && !this.#isEnding) {
      this.#send(this.#slots.shift()!.reply!)
    }
    if (this.#isClosed || this.#isEnding) return
    if (!this.#isDelivering) {
      this.#startWaiting()
      this.#brake()
    }
  }

  #send(reply: Reply): void {
    if (reply === 'close') {
      this.#flush()
      this.#end()
      return
    }
    this.#sentReplies += 1
    if (reply === 'none') return
    for (const chunk of reply) {
      this.#outgoing.push(chunk)
      this.#outgoingBytes += chunk.length
    }
  }

  /**
   * Says goodbye and waits for the peer to go. What it still sends is read, because closing on unread bytes would reset
   * the connection and take answers with it that are under way.
   */
  #end(): void {
    this.#isEnding = true
    this.#forgetRequests()
    this.#connection.end()
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#connection.resume()
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#isClosed) return
    const chunks = joinSmall(this.#outgoing)
    const isUncounted = this.#outgoingBytes < LARGE_REPLY_BYTES && !this.owesReading
    const counted = isUncounted ? 0 : this.#outgoingBytes
    this.#outgoing = []
    this.#outgoingBytes = 0
    this.#reservedBytes += counted
    if (counted > 0) this.#replies.queue(this, counted)
    if (counted === 0 && !chunks.some(chunk => bufferPool.owns(chunk))) this.#connection.write(chunks)
    else {
      this.#connection.write(chunks, () => {
        recycleAll(chunks)
        if (!this.#isClosed) this.#letGo(counted)
      })
    }
  }

  /** So much of what was counted was sent, or never will be. */
  #letGo(bytes: number): void {
    this.#reservedBytes -= bytes
    this.#replies.letGo(this, bytes, { isLast: this.#reservedBytes === 0 })
  }

  /** Reads on only while nothing waits and memory is there; a frame that has begun is always read to its end. */
  #brake(): void {
    const full = this.#waiting.length > 0
    const scarce = !full && this.#budget.isExhausted && !this.#reader.isMidFrame
    if (scarce && !this.#isAwaitingBudget) {
      this.#isAwaitingBudget = true
      this.#budget.whenAvailable(() => {
        this.#isAwaitingBudget = false
        this.#brake()
      })
    }
    const mustPause = full || scarce
    if (this.#isClosed || mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    if (mustPause) this.#connection.pause()
    else this.#connection.resume()
  }
}

/** The system has taken these bytes: what of them was the pool's goes back to it. */
function recycleAll(chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) bufferPool.recycle(chunk)
}

/** Copies chunks that are smaller than a system call's share of work together; larger ones stay references. */
function joinSmall(chunks: Uint8Array[]): Uint8Array[] {
  const SMALL = 8 * 1024
  if (chunks.length === 1) return chunks
  const joined: Uint8Array[] = []
  let run: Uint8Array[] = []
  const endRun = (): void => {
    if (run.length === 1) joined.push(run[0]!)
    else if (run.length > 1) joined.push(Buffer.concat(run))
    run = []
  }
  for (const chunk of chunks) {
    if (chunk.length < SMALL) run.push(chunk)
    else {
      endRun()
      joined.push(chunk)
    }
  }
  endRun()
  return joined
}
