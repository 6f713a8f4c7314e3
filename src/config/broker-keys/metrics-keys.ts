import type { ConfigTable } from '../config-def.ts'
import { atLeast, between } from '../validators.ts'

/** Metrics. */
export const metricsKeys = {
  'metric.reporters': {
    type: 'list',
    default: [],
    importance: 'low',
    update: 'cluster-wide',
    doc: 'Classes that publish metrics; without effect, see monedula.metrics.port.',
  },
  'metrics.num.samples': {
    type: 'int',
    default: 2,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Samples that a windowed metric is computed from.',
  },
  'metrics.sample.window.ms': {
    type: 'long',
    default: 30000,
    valid: atLeast(1),
    importance: 'low',
    doc: "Length of a sample's window.",
  },
  'metrics.recording.level': {
    type: 'string',
    default: 'INFO',
    importance: 'low',
    doc: 'Finest level of metrics recorded: INFO, DEBUG or TRACE.',
  },
  'auto.include.jmx.reporter': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Publishes metrics over JMX; without effect here, deprecated.',
  },
  'kafka.metrics.reporters': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: "Reporters of Kafka's second metrics library; without effect.",
  },
  'kafka.metrics.polling.interval.secs': {
    type: 'int',
    default: 10,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time in seconds between two readings by such a reporter; without effect.',
  },
  'telemetry.max.bytes': {
    type: 'int',
    default: 1048576,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Largest push of client telemetry (KIP-714), as it is after compression.',
  },
  'monedula.metrics.port': {
    type: 'int',
    default: -1,
    valid: between(-1, 65535),
    importance: 'medium',
    doc: 'Port on which metrics are served to Prometheus at /metrics, on the loopback address; 0 takes a free one, -1 none.',
  },
} satisfies ConfigTable
