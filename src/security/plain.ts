import type { SaslMechanism } from './sasl-mechanism.ts'

/** Name and password as they are (RFC 4616): safe over TLS alone. */
export function plain(username: string, password: string): SaslMechanism {
  const message = Buffer.from(`\0${username}\0${password}`)
  return {
    name: 'PLAIN',
    authenticate: async exchange => {
      await exchange(message)
    },
  }
}
