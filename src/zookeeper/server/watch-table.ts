import type { WatchEvent, Watcher } from '../zookeeper.ts'

/** What a watcher waits for: the node itself (its data, coming or going), or its list of children. */
export type WatchKind = 'node' | 'children'

/** A watcher and the session that left it. */
interface Watch {
  readonly sessionId: bigint
  readonly watcher: Watcher
}

/** The watchers of all sessions. A watcher leaves the table when its event happens. */
export class WatchTable {
  readonly #watches: Readonly<Record<WatchKind, Map<string, Watch[]>>> = { node: new Map(), children: new Map() }

  /** Leaves a watcher; the same one at the same place counts once. */
  add(kind: WatchKind, path: string, watch: Watch): void {
    const present = this.#watches[kind].get(path)
    if (!present) this.#watches[kind].set(path, [watch])
    else if (!present.some(other => sameWatch(other, watch))) present.push(watch)
  }

  /** Takes out the watchers that `event` concerns. */
  take(event: WatchEvent): readonly Watch[] {
    const { path, type } = event
    const nodeWatches = type === 'childrenChanged' ? [] : this.#takeAll('node', path)
    const childWatches = type === 'childrenChanged' || type === 'deleted' ? this.#takeAll('children', path) : []
    return [...nodeWatches, ...childWatches.filter(watch => !nodeWatches.some(other => sameWatch(other, watch)))]
  }

  /** Forgets the watchers of a session that is over. */
  removeSession(sessionId: bigint): void {
    for (const table of Object.values(this.#watches)) {
      for (const [path, watches] of table) {
        const kept = watches.filter(watch => watch.sessionId !== sessionId)
        if (kept.length === 0) table.delete(path)
        else table.set(path, kept)
      }
    }
  }

  #takeAll(kind: WatchKind, path: string): readonly Watch[] {
    const watches = this.#watches[kind].get(path) ?? []
    this.#watches[kind].delete(path)
    return watches
  }
}

function sameWatch(a: Watch, b: Watch): boolean {
  return a.sessionId === b.sessionId && a.watcher === b.watcher
}
