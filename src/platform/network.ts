import { isIP, SocketAddress } from 'node:net'
import type { TlsContext } from './tls.ts'

/**
 * The network as everything above this layer sees it: `nodeNetwork` is the machine's TCP.
 *
 * Reading is into memory that the receiver names (`ConnectionSink.target`), so that a large frame lands in its own
 * buffer without a copy; writing is by reference, so the chunks must not change until they have left.
 */
export interface Network {
  /** Starts listening; rejects with a {@link NetworkError} (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, ...). Port 0 picks a free one. */
  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<Listener>
  /** What this machine calls itself: for addresses that others are told. */
  hostName(): string
  /**
   * Connects, over TLS where `tls` is given; rejects with a {@link NetworkError} when refused or not there, handshake included, within
   * `timeoutMs`, and with a {@link TlsError} when one side refuses the other in the handshake.
   */
  connect(host: string, port: number, timeoutMs: number, tls?: TlsContext): Promise<Connection>
}

/** A listening socket. */
export interface Listener {
  readonly host: string
  /** The bound port, also where 0 was asked for. */
  readonly port: number
  /** Stops accepting; connections that are open stay open. */
  close(): Promise<void>
}

/** One connection, of TCP or of TLS over it. Nothing is read before {@link start}. */
export interface Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Bytes handed to {@link write} that the system has not taken yet. */
  readonly pendingBytes: number
  /** Bytes handed to {@link write} that the system has taken; grows while it takes a large chunk piece by piece. */
  readonly sentBytes: number
  /** Begins delivery to `sink`. Called once. */
  start(sink: ConnectionSink): void
  /** Stops reading: the peer feels it as back-pressure. */
  pause(): void
  /** Reads on after {@link pause}. */
  resume(): void
  /**
   * Sends the chunks in order, by reference, in as few system calls as possible. `sent` is called when the system has
   * taken all of them: their memory is the caller's again then. It is not called when the connection fails.
   */
  write(chunks: readonly Uint8Array[], sent?: () => void): void
  /** Sends what is pending, then closes. */
  end(): void
  /** Closes at once; pending bytes are dropped. */
  destroy(): void
}

/** The receiver of a connection's events. */
export interface ConnectionSink {
  /** Where the next bytes go. Called anew after each delivery; the memory is the sink's again inside {@link received}. */
  target(): Uint8Array
  /** `length` bytes are at the start of the last {@link target}. */
  received(length: number): void
  /** All that was handed to `write` has left. */
  drained(): void
  /** The connection is gone, for good or by `error`; called exactly once, the last call. */
  closed(error?: NetworkError): void
}

/** A network operation that failed; `code` is the system's (`ECONNREFUSED`, `EADDRINUSE`, ...). */
export class NetworkError extends Error {
  readonly code: string

  constructor(code: string, what: string, cause?: unknown) {
    super(`${what}: ${code}`, { cause })
    this.name = 'NetworkError'
    this.code = code
  }
}

/** An address as {@link Connection.remoteAddress} writes it; undefined for text that is none, as the name of a host. */
export function ipAddress(text: string): string | undefined {
  const version = isIP(text)
  return version === 0 ? undefined : new SocketAddress({ address: text, family: `ipv${version as 4 | 6}` }).address
}
