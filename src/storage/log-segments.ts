import type { LogSegment } from './log-segment.ts'

/** The segments of a log by base offset. There is always at least one once a log is open; the last is the active one. */
export class LogSegments {
  #segments: LogSegment[]

  /** `segments` in rising order. */
  constructor(segments: readonly LogSegment[] = []) {
    this.#segments = [...segments]
  }

  get count(): number {
    return this.#segments.length
  }

  get first(): LogSegment {
    return this.#segments[0]!
  }

  /** The one that is appended to. */
  get active(): LogSegment {
    return this.#segments[this.#segments.length - 1]!
  }

  get all(): readonly LogSegment[] {
    return this.#segments
  }

  /** The segment that holds `offset` if any does: the last whose base is not above it. */
  floor(offset: number): LogSegment | undefined {
    return this.#segments[this.#floorIndex(offset)]
  }

  /** The segment behind the one of `baseOffset`. */
  higher(baseOffset: number): LogSegment | undefined {
    return this.#segments[this.#floorIndex(baseOffset) + 1]
  }

  /** Segments that may hold offsets in `[from, to)`. */
  between(from: number, to: number): LogSegment[] {
    const start = Math.max(0, this.#floorIndex(from))
    return this.#segments.slice(start).filter(({ baseOffset }) => baseOffset < to)
  }

  /** Whether the segment is still one of these. */
  has(segment: LogSegment): boolean {
    return this.floor(segment.baseOffset) === segment
  }

  /** Puts a segment in its place; one of the same base must not be there. */
  add(segment: LogSegment): void {
    const index = this.#floorIndex(segment.baseOffset) + 1
    this.#segments.splice(index, 0, segment)
  }

  remove(gone: readonly LogSegment[]): void {
    const set = new Set(gone)
    this.#segments = this.#segments.filter(segment => !set.has(segment))
  }

  #floorIndex(offset: number): number {
    const segments = this.#segments
    // Nearly every question is about the active segment.
    if (segments.length > 0 && segments[segments.length - 1]!.baseOffset <= offset) return segments.length - 1
    let low = -1
    let high = segments.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (segments[middle]!.baseOffset <= offset) low = middle
      else high = middle
    }
    return low
  }
}
