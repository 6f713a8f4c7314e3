/** One broker process for one test, gone at its end. */
import { type BrokerOptions, BrokerProcess } from '../compat/broker-process.ts'

/** Starts a broker, runs `body`, and ends the broker whatever happened. */
export async function withBroker(
  options: BrokerOptions,
  body: (broker: BrokerProcess) => Promise<void>,
): Promise<void> {
  const broker = await BrokerProcess.start(options)
  try {
    await body(broker)
  } finally {
    await broker.dispose()
  }
}
