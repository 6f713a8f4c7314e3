/** The page of metrics. */
import { brokerGauges } from '../../src/broker/broker-gauges.ts'
import { BrokerMetrics, OWN_METRIC } from '../../src/broker/broker-metrics.ts'
import { RequestTallies } from '../../src/broker/request-tallies.ts'
import { code, page, table } from './markdown.ts'

/** The broker's own metrics; those of the process come from prom-client and differ by system. */
export function metricPage(): string {
  // Only names and meanings are asked for, so there need not be a broker.
  const metrics = new BrokerMetrics(brokerGauges({} as Parameters<typeof brokerGauges>[0]), new RequestTallies())
  const rows = metrics
    .describe()
    .filter(({ name }) => OWN_METRIC.test(name))
    .map(({ name, type, help }) => [code(name), type, help])
  return page('Metrics', [
    '`monedula start --metrics-port 9404`, or `monedula.metrics.port=9404` in `server.properties`, serves them at ' +
      '`http://127.0.0.1:9404/metrics` in the text format of Prometheus. Without a port nothing is served. Names ' +
      "follow what the JMX exporter of Prometheus makes of Kafka's.",
    table(['Name', 'Kind', 'Meaning'], rows),
    'What counts requests has a label `request`, the name of the API: see [APIs](apis.md). Beside these stand the ' +
      'default metrics of prom-client: CPU, memory, event-loop lag and garbage collection of the process, under ' +
      '`process_` and `nodejs_`.',
  ])
}
