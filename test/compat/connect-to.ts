import { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { nodeNetwork } from '../../src/platform/index.ts'
import { PATIENCE_MS, sleep } from './process.ts'

const SOON_TURNS = 100

/** A client over a real socket, whose answers are looked for every other millisecond at first, and for some two minutes. */
export async function connectTo(port: number, host = '127.0.0.1'): Promise<WireClient> {
  const passTime = (turn: number): Promise<void> => sleep(turn < SOON_TURNS ? 2 : 40)
  return new WireClient(await nodeNetwork.connect(host, port, PATIENCE_MS), passTime)
}
