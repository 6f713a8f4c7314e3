/** What of Node a program loads, in time and memory, with the clients. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'

/** Each costs megabytes, and only some programs need it. */
const COSTLY = ['crypto', 'http', 'https', 'tls']

test('clients that speak plain text load neither cryptography, TLS nor HTTP', async () => {
  const source = `
    import { connect } from 'monedula'
    const producer = connect({ bootstrapServers: '127.0.0.1:1', maxBlockMs: 1 }).producer()
    await producer.send('orders', { value: 'one' }).catch(() => undefined)
    await producer.close()
    const isLoaded = name => process.moduleLoadList.includes('NativeModule ' + name)
    console.log(${JSON.stringify(COSTLY)}.filter(isLoaded).join())`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], { cwd: fromRoot('.') })
  assert.equal(stdout, '\n')
})
