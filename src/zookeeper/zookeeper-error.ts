/**
 * ZooKeeper's error codes and the one error class of this layer. Names are `KeeperException.Code`'s with underscores,
 * numbers are what travels on the wire.
 */
const CODES = {
  SYSTEM_ERROR: [-1, 'SystemError'],
  RUNTIME_INCONSISTENCY: [-2, 'RuntimeInconsistency'],
  DATA_INCONSISTENCY: [-3, 'DataInconsistency'],
  CONNECTION_LOSS: [-4, 'ConnectionLoss'],
  MARSHALLING_ERROR: [-5, 'MarshallingError'],
  UNIMPLEMENTED: [-6, 'Unimplemented'],
  OPERATION_TIMEOUT: [-7, 'OperationTimeout'],
  BAD_ARGUMENTS: [-8, 'BadArguments'],
  UNKNOWN_SESSION: [-12, 'UnknownSession'],
  API_ERROR: [-100, 'APIError'],
  NO_NODE: [-101, 'NoNode'],
  NO_AUTH: [-102, 'NoAuth'],
  BAD_VERSION: [-103, 'BadVersion'],
  NO_CHILDREN_FOR_EPHEMERALS: [-108, 'NoChildrenForEphemerals'],
  NODE_EXISTS: [-110, 'NodeExists'],
  NOT_EMPTY: [-111, 'Directory not empty'],
  SESSION_EXPIRED: [-112, 'Session expired'],
  INVALID_ACL: [-114, 'InvalidACL'],
  AUTH_FAILED: [-115, 'AuthFailed'],
  SESSION_MOVED: [-118, 'Session moved'],
} as const

/** Name of a ZooKeeper error. */
export type ZooKeeperErrorCode = keyof typeof CODES

/** A ZooKeeper operation that failed. The message has the layout of `KeeperException`. */
export class ZooKeeperError extends Error {
  readonly code: ZooKeeperErrorCode
  /** The number that stands for `code` on the wire. */
  readonly errorCode: number
  /** The znode it is about. */
  readonly path: string | undefined
  /** Which operation of a multi failed, counted from 0; all others of it did nothing either. */
  readonly operation: number | undefined

  constructor(
    code: ZooKeeperErrorCode,
    options: { readonly path?: string; readonly operation?: number; readonly cause?: unknown } = {},
  ) {
    const [errorCode, text] = CODES[code]
    super(`KeeperErrorCode = ${text}${options.path === undefined ? '' : ` for ${options.path}`}`, {
      cause: options.cause,
    })
    this.name = 'ZooKeeperError'
    this.code = code
    this.errorCode = errorCode
    this.path = options.path
    this.operation = options.operation
  }
}

/** Whether `error` is a {@link ZooKeeperError} with one of `codes`. */
export function isZooKeeperError(error: unknown, ...codes: readonly ZooKeeperErrorCode[]): error is ZooKeeperError {
  return error instanceof ZooKeeperError && codes.includes(error.code)
}
