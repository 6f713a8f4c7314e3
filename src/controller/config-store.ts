import { encodeConfig, encodeConfigChange, ZnodePath } from '../metadata/index.ts'
import type { ZooKeeperOperation } from '../zookeeper/index.ts'
import type { ConfigPlan } from './config-plan.ts'
import type { ControllerState } from './controller-state.ts'
import type { FencedWriter } from './fenced-writer.ts'
import { createNode, deleteNode } from './topic-plan.ts'

/** How long brokers get to see a change notification before it is removed (`ZkNodeChangeNotificationListener`). */
const NOTIFICATION_LIFE_MS = 15 * 60_000
const MAX_NOTIFICATIONS_REMOVED = 100

/** Writes the settings of entities: topics, brokers, addresses. */
export class ConfigStore {
  readonly #state: ControllerState
  /** Change notifications, oldest first. */
  #notifications: { readonly path: string; readonly sinceMs: number }[] = []

  constructor(state: ControllerState) {
    this.#state = state
  }

  /** Learns which notifications are there. */
  async start(): Promise<void> {
    const { zooKeeper } = this.#state.options
    const { children } = await zooKeeper.getChildren(ZnodePath.configChanges)
    const found = children.map(async name => {
      const path = `${ZnodePath.configChanges}/${name}`
      return { path, sinceMs: (await zooKeeper.exists(path))?.ctime ?? 0 }
    })
    this.#notifications = (await Promise.all(found)).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Writes the settings and the notification that tells other brokers, in one transaction, and publishes them. */
  async put({ entity, settings }: ConfigPlan, writer: FencedWriter): Promise<void> {
    const { zooKeeper, clock, metadata } = this.#state.options
    const path = ZnodePath.config(entity)
    const data = encodeConfig(settings)
    const change: ZooKeeperOperation = (await zooKeeper.exists(path))
      ? { type: 'setData', path, data }
      : createNode(path, data)
    const now = clock.now()
    const expired = this.#notifications
      .slice(0, MAX_NOTIFICATIONS_REMOVED)
      .filter(({ sinceMs }) => now - sinceMs > NOTIFICATION_LIFE_MS)
    const results = await writer.write([
      change,
      {
        type: 'create',
        path: ZnodePath.configChangePrefix,
        data: encodeConfigChange(entity),
        mode: 'persistent_sequential',
      },
      ...expired.map(notification => deleteNode(notification.path)),
    ])
    this.#notifications.splice(0, expired.length)
    this.#notifications.push({ path: results[1]?.path ?? '', sinceMs: now })
    metadata.publish(builder => builder.putConfig(entity, settings))
  }
}
