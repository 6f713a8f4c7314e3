/**
 * Cipher suites as OpenSSL has them, from Java's (IANA's) names or OpenSSL's own: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is
 * `ECDHE-RSA-AES128-GCM-SHA256`. Names of TLS 1.3 are the same in both.
 */
export function cipherNames(names: readonly string[]): string {
  return names.map(openSslName).join(':')
}

function openSslName(name: string): string {
  const [, exchange, cipher] = /^TLS_(\w+)_WITH_(\w+)$/.exec(name) ?? []
  if (exchange === undefined || cipher === undefined) return name
  const short = cipher
    .replace(/_(\d+)/, '$1')
    .replace(/^CHACHA20_POLY1305_SHA256$/, 'CHACHA20-POLY1305')
    .replace('_CBC', '')
    .replaceAll('_', '-')
  return exchange === 'RSA' ? short : `${exchange.replaceAll('_', '-')}-${short}`
}
