export { AdjustableClock } from './adjustable-clock.ts'
export { BufferPool, bufferPool } from './buffer-pool.ts'
export { type Clock, dateText, holdProcess, isoDate, momentOf, sleep, systemClock, type Timer } from './clock.ts'
export { Deadline, DeadlineQueue } from './deadline-queue.ts'
export { descriptorLimit } from './descriptor-limit.ts'
export { type Disk, DiskError, type DiskFile, type DiskLock, type DiskSpace, type DiskStat } from './disk.ts'
export { type HttpPost, httpPost } from './http-post.ts'
export { type HttpText, type HttpTextServer, serveHttpText } from './http-text-server.ts'
export { type Logger, type LogLevels, silentLogger } from './logger.ts'
export { type DiskFault, type DiskOperation, MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts'
export type { CrashOptions } from './memory-disk-file.ts'
export { MemoryNetwork, type MemoryNetworkOptions } from './memory-network.ts'
export {
  type Connection,
  type ConnectionSink,
  ipAddress,
  type Listener,
  type Network,
  NetworkError,
} from './network.ts'
export { nodeCrypto } from './node-crypto.ts'
export { nodeDisk } from './node-disk.ts'
export { backgroundNetwork, nodeNetwork } from './node-network.ts'
export { nodeWorkers } from './node-workers.ts'
export { openOutput } from './output-file.ts'
export { ProcessClock } from './process-clock.ts'
export { type Random, seededRandom, systemRandom } from './random.ts'
export { SimulatedClock } from './simulated-clock.ts'
export { writeOutput } from './standard-output.ts'
export { nodeThreads, type ServiceThread, serveThread, type Threads } from './threads.ts'
export { type Pem, TlsContext, TlsError, type TlsOptions, type TlsVersion } from './tls.ts'
export { inTurns } from './turns.ts'
export { readWholeFile } from './whole-file.ts'
export { inlineWorkers, type Job, type Workers } from './workers.ts'
