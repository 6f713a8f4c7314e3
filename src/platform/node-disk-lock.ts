/**
 * A lock file for a process, made without `flock`, which Node does not have.
 *
 * The file is a list of claims, one a line: `+<boot id> <pid> <start time> <token>` asks, the same with `-` withdraws.
 * Whoever wants the lock first appends its claim (one `O_APPEND` write), then reads the file: if any other claim stands
 * whose process lives, it withdraws and is refused. Of two that ask at once the later one always sees the earlier, so
 * never do both get it. The claim of a process that was killed is dead with it: pid, start time and boot id together
 * are never given out twice. The holder replaces a file that grew long by a rename; a claim appended to the old file
 * sees the holder's claim there.
 *
 * Apache Kafka locks the same file with `fcntl` and ignores its content; such a lock is seen in `/proc/locks`.
 * Processes in different pid namespaces do not see each other.
 */
import {
  closeSync,
  constants as fsConstants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { DiskLock } from './disk.ts'
import { nodeCrypto } from './node-crypto.ts'

const COMPACT_ABOVE_BYTES = 4096

/** Tokens of the claims that this process stands by. */
const heldTokens = new Set<string>()

/** See {@link Disk.lock}; throws what node:fs throws. */
export function takeLock(path: string): DiskLock | undefined {
  const claim = `${bootId()} ${process.pid} ${startTime(process.pid)} ${nodeCrypto().randomBytes(6).toString('hex')}`
  const token = claim.slice(claim.lastIndexOf(' ') + 1)
  const fd = openSync(path, fsConstants.O_RDWR | fsConstants.O_CREAT | fsConstants.O_APPEND, 0o644)
  try {
    if (foreignLockHeld(fd)) return undefined
    heldTokens.add(token)
    writeSync(fd, `\n+${claim}\n`)
    const content = readFileSync(path, 'latin1')
    const claims = standingClaims(content)
    if (!claims.delete(claim) || [...claims].some(claimIsLive)) {
      withdraw(path, claim, token)
      return undefined
    }
    if (content.length > COMPACT_ABOVE_BYTES) compact(path, claim)
  } finally {
    closeSync(fd)
  }
  let released = false
  return {
    release: () => {
      if (released) return
      released = true
      withdraw(path, claim, token)
    },
  }
}

function withdraw(path: string, claim: string, token: string): void {
  heldTokens.delete(token)
  try {
    const fd = openSync(path, fsConstants.O_WRONLY | fsConstants.O_APPEND)
    writeSync(fd, `\n-${claim}\n`)
    closeSync(fd)
  } catch {
    // The directory may be gone; the claim then dies with the process.
  }
}

function compact(path: string, claim: string): void {
  const replacement = `${path}.${process.pid}.tmp`
  writeFileSync(replacement, `+${claim}\n`)
  renameSync(replacement, path)
}

/** Claims that were made and not withdrawn. Anything else in the file is ignored. */
function standingClaims(content: string): Set<string> {
  const standing = new Set<string>()
  for (const line of content.split('\n')) {
    if (line.startsWith('+')) standing.add(line.slice(1))
    else if (line.startsWith('-')) standing.delete(line.slice(1))
  }
  return standing
}

function claimIsLive(claim: string): boolean {
  const [boot = '', pidText = '', start = '', token = ''] = claim.split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0 || boot !== bootId()) return false
  if (pid === process.pid && start === '-') return heldTokens.has(token)
  if (pid === process.pid && start === startTime(pid)) {
    // Without the token it is another thread of this process, which has its own copy of this module.
    return true
  }
  return processExists(pid) && startTime(pid) === start
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** When a process started, in the kernel's ticks since boot; `-` where there is no /proc or no such process. */
function startTime(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold anything; the state follows it, and the start time is the 20th after that.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
}

function bootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() || '-'
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** Whether some process holds an fcntl or flock lock on the file, as a running Apache Kafka does. */
function foreignLockHeld(fd: number): boolean {
  const locks = readProc('/proc/locks')
  if (locks === undefined) return false
  const { ino, dev } = fstatSync(fd)
  const hex = (value: number): string => value.toString(16).padStart(2, '0')
  // glibc's layout of dev_t; both numbers are below 2^20 in practice.
  const major = Math.floor(dev / 256) % 4096
  const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256
  return locks.includes(` ${hex(major)}:${hex(minor)}:${ino} `)
}
