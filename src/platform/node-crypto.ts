/**
 * Node's cryptography, loaded when it is first needed. Measured: 1.5 MiB of every client, of which one that speaks plain text without
 * SASL needs nothing.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
