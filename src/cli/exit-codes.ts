/** Exit codes of a JVM that a signal ended, which is what scripts around Kafka expect. */
export const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const
