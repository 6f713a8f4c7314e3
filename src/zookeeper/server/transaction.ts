import type { Acl } from '../zookeeper.ts'

/** One change of the tree. It says what shall be, decides nothing, and always applies. */
export type Change =
  | {
      readonly type: 'create'
      readonly path: string
      readonly data: Uint8Array | null
      readonly acl: readonly Acl[]
      readonly ephemeral: boolean
      /** Number of children ever created under the parent, this one included. */
      readonly parentCreations: number
    }
  | { readonly type: 'delete'; readonly path: string }
  | { readonly type: 'setData'; readonly path: string; readonly data: Uint8Array | null; readonly version: number }
  | { readonly type: 'setAcl'; readonly path: string; readonly acl: readonly Acl[]; readonly aversion: number }
  | { readonly type: 'check'; readonly path: string; readonly version: number }
  | { readonly type: 'createSession'; readonly timeoutMs: number }
  /** `paths`: the ephemerals to remove; undefined in logs of ZooKeeper before 3.6: all of the session. */
  | { readonly type: 'closeSession'; readonly paths: readonly string[] | undefined }
  /** A request that ZooKeeper refused; it logs them because they used up a zxid. */
  | { readonly type: 'error' }

/** What is decided, logged and replayed as one: all its changes or none. */
export interface Transaction {
  readonly zxid: number
  readonly timeMs: number
  readonly sessionId: bigint
  readonly changes: readonly Change[]
}
