/**
 * What every client is made to do: `node CLIENT.mjs BOOTSTRAP MODE TOPIC COUNT BYTES CODEC`. One line of JSON comes out.
 *
 * | mode | what |
 * |---|---|
 * | batched | 1,000 records a send, 5 sends in flight, acks=1 |
 * | single | one record a send, 1,000 sends in flight, acks=1 |
 * | awaited | one record a send, each awaited, acks=all |
 * | each | a consumer from the beginning, a call or loop step for each record, which reads key and value |
 * | batches | the same, a call for each batch of the client, which reads key and value of every record |
 *
 * A client's script hands in `producer(settings)` and `consume(settings, on)`. Time and CPU are counted from when the client
 * is connected and has sent, or read, its first record.
 */
const SENDS_IN_FLIGHT = { batched: 5, single: 1_000, awaited: 1 }
const RECORDS_PER_BATCH = 1_000

export async function runWorkload({ producer, consume }) {
  const [bootstrap, mode, topic, count, bytes, codec] = process.argv.slice(2)
  const settings = { bootstrap, mode, topic, codec, acks: mode === 'awaited' ? -1 : 1 }
  const wanted = { count: Number(count), bytes: Number(bytes) }
  if (mode in SENDS_IN_FLIGHT) await runProducer(await producer(settings), mode, wanted)
  else await runConsumer(consume, settings, wanted)
  process.exit(0)
}

async function runProducer(client, mode, { count, bytes }) {
  const latencies = mode === 'batched' ? undefined : new Float64Array(count)
  await client.sendOne(valueNumbered(0, bytes))
  const meter = startMeter()
  let next = 0
  const batches = async () => {
    while (next < count) {
      const from = next
      next += RECORDS_PER_BATCH
      await client.sendBatch(
        Array.from({ length: RECORDS_PER_BATCH }, (_, index) => valueNumbered(from + index, bytes)),
      )
    }
  }
  const singles = async () => {
    while (next < count) {
      const index = next++
      const asked = performance.now()
      await client.sendOne(valueNumbered(index, bytes))
      latencies[index] = performance.now() - asked
    }
  }
  await Promise.all(Array.from({ length: SENDS_IN_FLIGHT[mode] }, latencies ? singles : batches))
  meter.report(count, latencies && { p99Ms: latencies.sort()[Math.floor(count * 0.99)] })
}

async function runConsumer(consume, settings, { count }) {
  let seen = 0
  let readBytes = 0
  let meter
  let finish
  const finished = new Promise(resolve => {
    finish = resolve
  })
  const on = (key, value) => {
    meter ??= startMeter()
    readBytes += (key?.length ?? 0) + (value?.length ?? 0)
    seen += 1
    if (seen === count) finish()
  }
  const group = `bench-${process.pid}-${Date.now()}`
  await Promise.race([consume({ ...settings, group }, on), finished])
  await finished
  meter.report(seen, { readBytes })
}

function valueNumbered(index, bytes) {
  const value = Buffer.alloc(bytes, 'abcdefghijklmnopqrstuvwxyz0123456789')
  value.writeUInt32BE(index, 0)
  return value
}

function startMeter() {
  const start = performance.now()
  const cpuStart = process.cpuUsage()
  return {
    report(count, extra) {
      const seconds = (performance.now() - start) / 1_000
      const { user, system } = process.cpuUsage(cpuStart)
      const cpuPerMillion = (user + system) / count
      const peakMiB = process.resourceUsage().maxRSS / 1_024
      console.log(JSON.stringify({ perSecond: count / seconds, cpuPerMillion, peakMiB, ...extra }))
    },
  }
}
