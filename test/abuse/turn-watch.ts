/**
 * Loaded by the broker under test before its own program: looks every millisecond at the CPU time of its main thread. What passes of it
 * between two looks belongs to the turn of the event loop that held up the second one, and at most a millisecond to earlier ones.
 * For each line that it gets from the port `TURN_WATCH_PORT` it says, as JSON, what turns there were since the last line.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { isMainThread } from 'node:worker_threads'
import { CpuTime } from './cpu-time.ts'

/** The turns of an event loop in a stretch of time. */
export interface Turns {
  /** CPU time of the one that took most of it. */
  readonly longestMs: number
  /** CPU time of all together. */
  readonly sumMs: number
}

const LOOK_MS = 1

function watch(port: number): void {
  const cpu = new CpuTime(process.pid)
  let begunMs = cpu.ms
  let lookedMs = begunMs
  let longestMs = 0
  const look = (): void => {
    const nowMs = cpu.ms
    longestMs = Math.max(longestMs, nowMs - lookedMs)
    lookedMs = nowMs
  }
  setInterval(look, LOOK_MS).unref()
  const socket = connect(port, '127.0.0.1').unref()
  createInterface({ input: socket }).on('line', () => {
    look()
    const turns: Turns = { longestMs, sumMs: lookedMs - begunMs }
    socket.write(`${JSON.stringify(turns)}\n`)
    longestMs = 0
    begunMs = lookedMs
  })
}

const port = process.env.TURN_WATCH_PORT
if (isMainThread && port !== undefined) watch(Number(port))
