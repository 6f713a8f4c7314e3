import type { Controller } from '../controller/index.ts'
import type { GroupCoordinator, TransactionCoordinator } from '../coordinator/index.ts'
import type { SocketServer } from '../network/index.ts'
import type { ReplicaManager } from '../replication/index.ts'
import type { LogManager } from '../storage/index.ts'
import type { EmbeddedZooKeeper } from '../zookeeper/index.ts'
import type { BrokerMetrics } from './broker-metrics.ts'

/** What a broker has brought up so far, to be taken down whether the start succeeds or not. */
export class BrokerParts {
  sockets: SocketServer | undefined
  groups: GroupCoordinator | undefined
  transactions: TransactionCoordinator | undefined
  replicas: ReplicaManager | undefined
  logs: LogManager | undefined
  controller: Controller | undefined
  zooKeeper: EmbeddedZooKeeper | undefined
  metrics: BrokerMetrics | undefined

  /**
   * Takes everything down: first what lets work in, then what answers it, then, when changes of the metadata under way have ended, the logs, and last the store that says this
   * broker is alive. A part that fails to stop does not keep the others from it; the first error is thrown at the end.
   */
  async stop(): Promise<void> {
    const errors: unknown[] = []
    const steps = [
      () => this.sockets?.close(),
      () => this.transactions?.close(),
      () => this.groups?.close(),
      // A topic that is gone from the metadata has logs until its deletion has ended: nobody would look for them again.
      () => this.controller?.idle(),
      () => this.replicas?.close(),
      () => this.logs?.close(),
      () => this.controller?.close(),
      () => this.zooKeeper?.close(),
      () => this.metrics?.close(),
    ]
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
