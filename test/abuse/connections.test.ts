/** Too many connections, too fast, too slow, and more than the system has descriptors for. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as p from '../../src/protocol/everything.ts'
import { until } from '../compat/process.ts'
import {
  AbusedBroker,
  API_VERSIONS,
  createTopics,
  framed,
  PRODUCE,
  produceBody,
  requestFrame,
} from './abused-broker.ts'

const CONNECTIONS = 'kafka_server_socketservermetrics_connection_count'
const VERSIONS = framed(requestFrame(p.ApiVersionsRequest, 0, { body: {} }))

/** Opens a connection without waiting for anything; what becomes of it is the caller's business. */
function open(port: number): Socket {
  return connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => {})
}

/** Opens so many connections, a few hundred at a time, and gives those that stand. */
async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(250, count - sockets.length) }, () => open(port))
    await Promise.all(
      some.map(socket => new Promise(resolve => socket.once('connect', resolve).once('close', resolve))),
    )
    sockets.push(...some)
  }
  return sockets
}

const untilAllAreGone = (broker: AbusedBroker): Promise<void> =>
  until('all connections are gone', async () => (await broker.metric(CONNECTIONS)) < 10, 50)

test('ten thousand idle connections take less than 150 MiB and nobody notices them', async () => {
  await AbusedBroker.run({}, async broker => {
    const before = broker.residentMiB.now
    let sockets: Socket[] = []
    await broker.endures('10,000 idle connections', async () => {
      sockets = await openMany(broker.port, 10_000)
      await until('all connections stand', async () => (await broker.metric(CONNECTIONS)) >= 10_000, 50)
      await broker.lets(1_000)
    })
    assert.ok(broker.residentMiB.now - before < 150, `${before} MiB became ${broker.residentMiB.now}`)
    for (const socket of sockets) socket.destroy()
    await untilAllAreGone(broker)
    await broker.assertWell()
  })
})

test('a thousand connections a second, each with one request, leave nothing behind', async () => {
  await AbusedBroker.run({}, async broker => {
    let answered = 0
    const visit = (): void => {
      const socket = open(broker.port)
      socket.write(VERSIONS)
      socket.once('data', () => {
        answered++
        socket.destroy()
      })
    }
    await broker.endures('1,000 connections a second', async () => {
      for (let tenth = 0; tenth < 30; tenth++) {
        for (let index = 0; index < 100; index++) visit()
        await sleep(100)
      }
    })
    await until('all are answered', () => answered === 3_000)
    await untilAllAreGone(broker)
  })
})

test('max.connection.creation.rate serves no more than it says, and who is there already goes on', async () => {
  const properties = { 'max.connection.creation.rate': '50', 'quota.window.num': '2' }
  await AbusedBroker.run({ properties }, async broker => {
    let served = 0
    const sockets: Socket[] = []
    await broker.endures('more connections than max.connection.creation.rate', async () => {
      const startMs = performance.now()
      for (let tenth = 0; tenth < 10; tenth++) {
        for (let index = 0; index < 25; index++) {
          const socket = open(broker.port)
          socket.write(VERSIONS)
          socket.once('data', () => {
            served++
          })
          sockets.push(socket)
        }
        await sleep(100)
      }
      const seconds = (performance.now() - startMs) / 1_000
      // A window's worth is let through at once, and then so many a second.
      assert.ok(served <= 50 * (1 + seconds), `${served} of ${sockets.length} were served in ${seconds} s`)
      assert.ok(served < sockets.length, 'the limit was never reached')
      await until('everybody is served in the end', () => served === sockets.length)
    })
    for (const socket of sockets) socket.destroy()
  })
})

test('clients that stop in the middle of a frame cost nobody anything', async () => {
  // That each of them is given up on in time is shown on simulated time: test/integration/hostile-input-slow-peers.
  await AbusedBroker.run({}, async broker => {
    const sockets = await openMany(broker.port, 1_000)
    await broker.endures('1,000 connections in the middle of a frame', async () => {
      for (let at = 0; at < VERSIONS.length - 1; at++) {
        for (const socket of sockets) socket.write(VERSIONS.subarray(at, at + 1))
        await sleep(100)
      }
      for (const socket of sockets) socket.destroy()
    })
    await untilAllAreGone(broker)
  })
})

test('when connections use up all descriptors, logs still roll and new ones can be made', async () => {
  await AbusedBroker.run({ descriptors: 256 }, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'rolls', configs: { 'segment.bytes': '4096' } }])
    const records = p.encodeBatch({ records: [{ value: Buffer.alloc(1_500) }] })
    const produce = async (): Promise<void> => {
      const { responses } = await client.call(PRODUCE, 8, produceBody('rolls', records))
      assert.equal(p.errorName(responses[0]!.partitionResponses[0]!.errorCode), 'NONE')
    }
    let sockets: Socket[] = []
    await broker.endures('more connections than descriptors', async () => {
      sockets = await openMany(broker.port, 600)
      for (let count = 0; count < 200; count++) await produce()
      await createTopics(client, [{ name: 'made-meanwhile', partitions: 100 }])
      const gone = sockets.filter(socket => socket.destroyed || socket.readableEnded || socket.closed).length
      assert.ok(gone > 300, `only ${gone} of 600 connections were turned away`)
      // Somebody has to leave before the broker can be asked for its metrics.
      for (const socket of sockets) socket.destroy()
      await until('a new connection is served', () => {
        const late = open(broker.port)
        late.write(VERSIONS)
        return new Promise(resolve => {
          late.once('data', () => resolve(true)).once('close', () => resolve(false))
        })
      })
    })
    const again = await broker.connect()
    assert.equal((await again.call(API_VERSIONS, 0, {})).errorCode, 0)
    await produce()
    again.close()
    client.close()
  })
})
