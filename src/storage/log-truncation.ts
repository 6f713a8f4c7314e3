import assert from 'node:assert/strict'
import type { LogState } from './log-state.ts'
import { rebuildProducers } from './producer-replay.ts'
import { partitionName } from './topic-partition.ts'

/** `Log.truncateTo`. */
export async function truncateLog(state: LogState, offset: number): Promise<void> {
  assert(offset >= 0)
  if (offset >= state.logEndOffset) {
    // The leader may know that the last epochs end here, even if no batch goes (KAFKA-10706).
    state.epochs.truncateFromEnd(offset)
    return
  }
  const isBelowStart = (): boolean => offset < state.logStartOffset || boundary() < state.logStartOffset
  const boundary = (): number => state.directory.run(() => state.batchBoundary(offset))
  if (isBelowStart()) return restartLog(state, Math.min(offset, state.logStartOffset))
  await cut(state, boundary(), () => {
    // Retention may have been here meanwhile.
    if (isBelowStart()) dropAll(state, state.logStartOffset)
    else cutOff(state, offset, boundary())
  })
}

/** `Log.truncateFullyAndStartAt`. */
export async function restartLog(state: LogState, offset: number): Promise<void> {
  await cut(state, state.segments.first.baseOffset, () => dropAll(state, offset))
  if (!state.isClosed) await state.owner.saveLogStartOffsets(state.directory)
}

/**
 * Runs `change` when it is on disk that nothing from `offset` on is synced: so a recovery knows what a power cut left of the
 * change for what it is, and a hole below the recovery point for a loss. Resolves when the checkpoints know of the change.
 */
async function cut(state: LogState, offset: number, change: () => void): Promise<void> {
  const { flusher, owner, directory } = state
  assert(!flusher.isBeingCut, `log ${partitionName(state.topicPartition)} is being cut`)
  flusher.cutBegins(offset)
  try {
    await owner.saveRecoveryPoints(directory)
    if (state.isClosed) return
    directory.run(change)
  } finally {
    flusher.cutEnds()
  }
  await state.cutSaved()
}

function cutOff(state: LogState, offset: number, end: number): void {
  const gone = state.segments.all.filter(({ baseOffset }) => baseOffset > offset)
  state.removeSegments(gone, 0)
  state.cutActive(offset)
  state.epochs.truncateFromEnd(end)
  state.snapshots.truncateTo(end)
  state.movedBack(end)
  const { logStartOffset, highWatermark } = state
  rebuildProducers(state.producers, state, { logStartOffset, endOffset: end, highWatermark })
}

function dropAll(state: LogState, offset: number): void {
  state.removeSegments([...state.segments.all], 0)
  state.addSegment(offset)
  state.epochs.clear()
  state.snapshots.clear()
  state.producers.restore([], offset)
  state.movedBack(offset)
  state.logStartOffset = offset
  state.highWatermark = offset
}
