import assert from 'node:assert/strict'
import { test } from 'node:test'
import { saltPassword } from './scram.ts'
import { ScramExchange, type ScramStart } from './scram-exchange.ts'

/** RFC 7677, 3. */
const RFC = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  password: 'pencil',
  first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const

const begin = (start: Partial<ScramStart> = {}): ScramExchange =>
  new ScramExchange({ mechanism: 'SCRAM-SHA-256', username: 'user', nonce: RFC.nonce, ...start })

async function proved(): Promise<ScramExchange> {
  const exchange = begin()
  const { salt, iterations } = exchange.challenged(RFC.serverFirst)
  exchange.proof(await saltPassword('SCRAM-SHA-256', { password: RFC.password, salt, iterations }))
  return exchange
}

const refused = (reason: RegExp) => ({ code: 'SASL_AUTHENTICATION_FAILED', message: reason })

test('the exchange of RFC 7677 is word by word as it stands there', async () => {
  const exchange = begin()
  assert.equal(exchange.first, RFC.first)
  const { salt, iterations } = exchange.challenged(RFC.serverFirst)
  const salted = await saltPassword('SCRAM-SHA-256', { password: RFC.password, salt, iterations })
  assert.equal(exchange.proof(salted), RFC.final)
  exchange.verify(RFC.serverFinal)
})

test('a name with marks is written so that it stays one, and extensions follow the nonce', () => {
  const { first } = begin({ username: 'a=b,c', extensions: { tokenauth: 'true' } })
  assert.equal(first, `n,,n=a=3Db=2Cc,r=${RFC.nonce},tokenauth=true`)
})

test('a server that cannot show that it knows the password is refused', async () => {
  const exchange = await proved()
  const other = RFC.serverFinal.replace('6rri', '7rri')
  for (const wrong of [other, 'v=', 'v=AAAA', 'x=1']) {
    assert.throws(() => exchange.verify(wrong), refused(/does not know the password/))
  }
  assert.throws(() => exchange.verify('e=invalid-proof'), refused(/refuses: invalid-proof/))
  assert.throws(() => begin().verify(RFC.serverFinal), refused(/does not know the password/))
})

test('a nonce that does not go on from ours is refused, and one that adds nothing to it', () => {
  for (const nonce of ['', 'other', RFC.nonce, `x${RFC.nonce}`]) {
    const message = `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
    assert.throws(() => begin().challenged(message), refused(/nonce/))
  }
})

test('too few iterations are refused, and so many that they would keep the client busy', () => {
  for (const iterations of ['4095', '1', '0', '-4096', '1000001', '9999999999', '4096x', '']) {
    const message = `r=${RFC.nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=${iterations}`
    assert.throws(() => begin().challenged(message), refused(/iterations/))
  }
})

test('what is no SCRAM, and extensions that must be understood, are refused', () => {
  assert.throws(() => begin().challenged('HTTP/1.1 400'), refused(/does not speak SCRAM/))
  assert.throws(() => begin().challenged(`m=new,${RFC.serverFirst}`), refused(/extension that is not known/))
  assert.throws(() => begin().challenged(`r=${RFC.nonce}more,i=4096`), refused(/no salt/))
})
