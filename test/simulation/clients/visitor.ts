import { Consumer } from '../../../src/client/index.ts'
import type { ClientWorld } from './client-world.ts'
import { type GroupSettings, readerOptions } from './group-reader.ts'

const LONGEST_MS = 5_000

/** Somebody joins a group, and leaves it when he was let in, or after a while. */
export async function visit(world: ClientWorld, group: GroupSettings): Promise<void> {
  let leave = (): void => undefined
  const mayLeave = new Promise<void>(resolve => {
    leave = resolve
  })
  world.count('visited')
  const visitor = new Consumer<string, string>({
    ...world.client().options,
    ...readerOptions(world, group),
    clientId: `visitor${world.counts.get('visited')}`,
    onAssigned: leave,
  })
  visitor.subscribe([...group.topics])
  const timer = world.clock.schedule(LONGEST_MS, leave)
  await mayLeave
  timer.cancel()
  await visitor.close()
}
