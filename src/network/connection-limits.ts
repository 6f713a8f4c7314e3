/** How many connections there may be at a time. */
export interface ConnectionLimitOptions {
  /** `max.connections`, or fewer where the system has no descriptors for so many. */
  readonly maxConnections: () => number
  /** `listener.name.<listener>.max.connections`, which is no limit where it is not given. */
  readonly maxConnectionsOfListener: (listener: string) => number
  /** `max.connections.per.ip`, with `max.connections.per.ip.overrides` */
  readonly maxConnectionsOf: (ip: string) => number
}

/** Counts connections, and tells whether there may be one more (Kafka's ConnectionQuotas). */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions
  readonly #ofIp = new Map<string, number>()
  readonly #ofListener = new Map<string, number>()
  #count = 0

  constructor(options: ConnectionLimitOptions) {
    this.#options = options
  }

  /** The limit of an address or of a listener that keeps one more connection out. */
  ownLimit(listener: string, ip: string): string | undefined {
    const maxOfIp = this.#options.maxConnectionsOf(ip)
    if ((this.#ofIp.get(ip) ?? 0) >= maxOfIp) return `max.connections.per.ip=${maxOfIp}`
    const maxOfListener = this.#options.maxConnectionsOfListener(listener)
    if ((this.#ofListener.get(listener) ?? 0) < maxOfListener) return undefined
    return `listener.name.${listener.toLowerCase()}.max.connections=${maxOfListener}`
  }

  /** The limit of all together, where it keeps one more connection out. */
  commonLimit(): string | undefined {
    const max = this.#options.maxConnections()
    return this.#count >= max ? `max.connections=${max}` : undefined
  }

  entered(listener: string, ip: string): void {
    this.#add(listener, ip, 1)
  }

  left(listener: string, ip: string): void {
    this.#add(listener, ip, -1)
  }

  #add(listener: string, ip: string, count: number): void {
    this.#count += count
    this.#ofListener.set(listener, (this.#ofListener.get(listener) ?? 0) + count)
    const ofIp = (this.#ofIp.get(ip) ?? 0) + count
    if (ofIp > 0) this.#ofIp.set(ip, ofIp)
    else this.#ofIp.delete(ip)
  }
}
