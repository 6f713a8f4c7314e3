import type { Clock, Disk } from '../platform/index.ts'
import type { CleanedGroup, CleaningResult, CleaningStep, CleaningTask } from './cleaning-task.ts'
import { IoThrottle } from './io-throttle.ts'
import { cleanLog, removeCleanedFiles } from './log-cleaning.ts'

/** How a round is run. */
export interface CleaningRun {
  /** Most bytes that it reads and writes a second, on average. */
  readonly bytesPerSecond: number
  /** Ends the round at its next step. */
  readonly signal: AbortSignal
  /** Puts a group in place; the round goes on when it resolves to true, and is over otherwise. */
  readonly onGroup: (group: CleanedGroup) => Promise<boolean>
}

/** Whoever does the reading and writing of rounds, one after the other: the event loop, or a thread of its own. */
export interface CleaningRunner {
  /**
   * Runs a round; resolves to undefined for one that was given up, whose files are gone then.
   *
   * @throws DiskError; KafkaError for a log that cannot be cleaned
   */
  run(task: CleaningTask, run: CleaningRun): Promise<CleaningResult | undefined>
  /** What it runs rounds in has come to an unwanted end, and nothing has taken its place before the next round. */
  readonly isDead: boolean
  /** Gives back what it holds while there is nothing to do. No round is under way. */
  rest(): Promise<void>
}

/** Runs rounds on the event loop, a slice at a time: the deterministic twin of {@link CleaningThread}. */
export class CleaningOnLoop implements CleaningRunner {
  readonly isDead = false
  readonly #disk: Disk
  readonly #clock: Clock

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  run(task: CleaningTask, { bytesPerSecond, signal, onGroup }: CleaningRun): Promise<CleaningResult | undefined> {
    const throttle = new IoThrottle(this.#clock, bytesPerSecond)
    return driveCleaning(task, this.#disk, { throttle, isWanted: () => !signal.aborted, onGroup })
  }

  rest(): Promise<void> {
    return Promise.resolve()
  }
}

/** Takes a round step by step to its end, or to where it is not wanted any more. */
export async function driveCleaning(
  task: CleaningTask,
  disk: Disk,
  drive: {
    readonly throttle: IoThrottle
    readonly isWanted: () => boolean
    readonly onGroup: CleaningRun['onGroup']
  },
): Promise<CleaningResult | undefined> {
  const steps: AsyncGenerator<CleaningStep, CleaningResult, void> = cleanLog(task, disk)
  let result: CleaningResult | undefined
  try {
    while (drive.isWanted()) {
      const step = await steps.next()
      if (step.done) {
        result = step.value
        break
      }
      if (!drive.isWanted()) break
      if (step.value.kind === 'slice') await drive.throttle.used(step.value.bytes)
      else if (!(await drive.onGroup(step.value.group))) break
    }
  } finally {
    if (result === undefined) takeBack(task, disk)
  }
  return result
}

/** The log may be gone, or its disk; then there is nothing to take back, or a start does it. */
function takeBack({ directory }: CleaningTask, disk: Disk): void {
  try {
    removeCleanedFiles(disk, directory)
  } catch {}
}
