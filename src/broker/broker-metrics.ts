import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type HttpTextServer, serveHttpText } from '../platform/index.ts'
import type { RequestTallies } from './request-tallies.ts'

/** A number that is looked up when somebody asks for the metrics. */
export interface GaugeSource {
  readonly name: string
  readonly help: string
  readonly value: () => number
}

/** A metric without its value. */
export interface MetricDescription {
  readonly name: string
  /** `counter`, `gauge` or `histogram`. */
  readonly type: string
  readonly help: string
}

/** Names of the broker's own metrics; others are of the process. */
export const OWN_METRIC = /^kafka_/

/**
 * The broker's metrics, in Kafka's names as its JMX exporter spells them. What requests cost is summed elsewhere and only
 * shaped when scraped. Loaded on demand: the library behind it takes a tenth of a broker's start.
 */
export class BrokerMetrics {
  readonly #registry = new Registry()
  readonly #requests: Counter<'request'>
  readonly #requestBytes: Counter<'request'>
  readonly #duration: Histogram<'request'>
  readonly #tallies: RequestTallies
  #server: HttpTextServer | undefined

  constructor(gauges: readonly GaugeSource[], tallies: RequestTallies) {
    this.#tallies = tallies
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Counter({
      name: 'kafka_network_requestmetrics_requests_total',
      help: 'Requests answered',
      labelNames: ['request'],
      registers,
    })
    this.#requestBytes = new Counter({
      name: 'kafka_network_requestmetrics_requestbytes_total',
      help: 'Bytes of requests answered',
      labelNames: ['request'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'kafka_network_requestmetrics_totaltimems',
      help: 'Milliseconds from reading a request to its answer; one sample an API and scrape interval, the mean of it',
      labelNames: ['request'],
      buckets: [0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000, 5000],
      registers,
    })
    for (const { name, help, value } of gauges) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    }
  }

  /** The metrics in Prometheus' text format. */
  async text(): Promise<string> {
    for (const { request, count, bytes, durationMs } of this.#tallies.take()) {
      this.#requests.inc({ request }, count)
      this.#requestBytes.inc({ request }, bytes)
      this.#duration.observe({ request }, durationMs / count)
    }
    return this.#registry.metrics()
  }

  /** All metrics, by name. */
  describe(): readonly MetricDescription[] {
    return this.#registry
      .getMetricsAsArray()
      .map(({ name, type, help }) => ({ name, type: String(type), help }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Serves {@link text} at `/metrics`; resolves to the port. */
  async serve(host: string, port: number): Promise<number> {
    const contentType = this.#registry.contentType
    this.#server = await serveHttpText(host, port, async path =>
      path === '/metrics' ? { contentType, body: await this.text() } : undefined,
    )
    return this.#server.port
  }

  close(): void {
    this.#server?.close()
  }
}
