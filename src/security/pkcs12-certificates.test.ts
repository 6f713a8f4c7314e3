import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { Pkcs12Error, pkcs12Certificates } from './pkcs12-certificates.ts'

/** Trust stores with one certificate, CN=t, and the password `changeit`. */
const STORES = {
  /** `keytool -importcert -storetype pkcs12` of OpenJDK 17. */
  keytool: [
    'MIIC4gIBAzCCAowGCSqGSIb3DQEHAaCCAn0EggJ5MIICdTCCAnEGCSqGSIb3DQEHBqCCAmIwggJeAgEAMIICVwYJKoZIhvcNAQcB',
    'MGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBT5+losb4+qrgjacEwQcaqMg7MpwwICJxACASAwDAYIKoZIhvcNAgkFADAd',
    'BglghkgBZQMEASoEECY3bu0HEgJNdk7etMEsocqAggHgAJ/9/B/sU3F9eh6mAqbpWOiyWPkE/V70bN+RU35AcUgKP8dsM54SUgiP',
    'EQOm7DvTpY/4XUxqaCkhCZVZuDkGF3AKtW1V50UcwAZj18MgKk/kK9+E5rue2UH4Jw8nAEMKgSTbeXQuHjf/RiuLQmj+d3GlnKLj',
    'mHeu2cHeDVBHzXDDzaU2p4YTSE0ZEYiDCkR4RJA+VjCIJumGZroPUUzJyjkocnBKtR5jGDWGv7roqCciibN/VPoUv8QcjYM7tUb1',
    '1jgcDK7ZZvVsKTJjadw0p7Upg0HVP7OnzbGMNTIBHNDl7cFWswVI7CcvjBnX1AH4oyl53vdzD5Tp4q0/+rfnYJCP6kF1jZXAUzsb',
    'qTt3BoUUjTXDuHQNsBY/QJl5OfyG7Ef7tG4lu+sHLyPdliOM1ANFCiOASeP2X8+r7ZveuIgr80c4tMI+KkKxvewBfVcuL9gz174I',
    '2r1CAcrobeHd7ppaKDqJoXRKuQV27RdHXYFG8k/0scy/bj8GGHtz7vumngjlftv3vc8b9WU8UD7mfY0L2QrvzRZs/Y0fOeWmNj0D',
    'XMyZq9jxCShqkt/AHIii8s4uPRe7vLCV9L4zGJrues3M6aM7/AwN/ablopikwzBfOHAaG4S0qzgyoCOv1WkgME0wMTANBglghkgB',
    'ZQMEAgEFAAQgGJ2V+SZG/Bcs0ytO89xKyU2cqPE29VLkRTYFQa8wY5AEFIfKb4Mr/UYLs1/F/wJSF3FSogM6AgInEA==',
  ].join(''),
  /** `openssl pkcs12 -export -nokeys` of OpenSSL 3. */
  openssl: [
    'MIIClwIBAzCCAk0GCSqGSIb3DQEHAaCCAj4EggI6MIICNjCCAjIGCSqGSIb3DQEHBqCCAiMwggIfAgEAMIICGAYJKoZIhvcNAQcB',
    'MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi+IOUeRxkThgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGMz',
    '5Ug35IRbG4iDdownIzSAggGw6AtGn/65L25SYrEFTcd13vK7PaoGap+xzHW8p8LMX3O+V9ZJOL4WrAoHBYmee09GAq4tqUXPVuDH',
    'cv5WgVufiK35t7w6qyLzGPo2wdMOQakILWO0XY5/ihxUbPG2VcnLhkGALHp5jZuFcu0MlpWLlDj9BFIyztfTZ6pFyFx9nly0vrOj',
    'dm5XMEbSFl/ycldwfXKmCxNyp3kFDp7sAJQmSxLUoBRLfXe4kdDZH+iiZSkXqt1ec4c7dyUKhw7hc2K2N0XNUTgc+oiyUbPWNzAp',
    'JgcZUA8by8p6oOFkbuWve1FJWC4LAFA+6aQyiNGHAEoFqNogJwV17haggob5pmHyv8xmPMLAHQMdrehI6I2PkSBAVxlCNdQVhPUk',
    '5JacCnFh7GQ9E3XdL6wUBL79os75NAA6lDOA4ceZfQjPRS9RfZK+kY9IeQIydj1sT/agDKNwpzYRMfV/BHTQA/1WemGOzIK03MGu',
    'hLD86tkNlFjzcVDV6bAadKv96sW9aB7a2R7u0696S/pJHAhZ9sK4ah9CmFxCrZE5OwojGojsH3Ci1O23BD7QWzL3b/rDQvU3Qu6g',
    'MEEwMTANBglghkgBZQMEAgEFAAQgf27gsaxm3/ceauMzze7tMGPQDNr2SbOcfcrlE7XMvQsECFyD7hMQugm9AgIIAA==',
  ].join(''),
  /** The same with `-certpbe NONE -nomac`. */
  open: [
    'MIIB2AIBAzCCAdEGCSqGSIb3DQEHAaCCAcIEggG+MIIBujCCAbYGCSqGSIb3DQEHAaCCAacEggGjMIIBnzCCAZsGCyqGSIb3DQEM',
    'CgEDoIIBijCCAYYGCiqGSIb3DQEJFgGgggF2BIIBcjCCAW4wggEVoAMCAQICFCSNw9yRqKESCV3BdZ71R9rGUzM5MAoGCCqGSM49',
    'BAMCMAwxCjAIBgNVBAMMAXQwIBcNMjYxMTI2MTYyMTM3WhgPMjEyNjExMDIxNjIxMzdaMAwxCjAIBgNVBAMMAXQwWTATBgcqhkjO',
    'PQIBBggqhkjOPQMBBwNCAASMtx1V4yOzDVKRYji/APoKhTMNzNJOa6Rk8x0rSBEZoeH+KfPtkkonEElnUKqnYZoxSSI+H9u73/u5',
    '7ldx4q+7o1MwUTAdBgNVHQ4EFgQUprLUbPEoOiMq88urxh+V+wlTNXYwHwYDVR0jBBgwFoAUprLUbPEoOiMq88urxh+V+wlTNXYw',
    'DwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBPVy1+pul2RRoVfb/+nE3/v5m9WxQJGqG5cgKO8Ln4VgIgGSMMFElB',
    'eGpjF4gL/jjZmXVdFqJLR0b5DcTlgFE3Mu0=',
  ].join(''),
  /** The same with `-legacy`. */
  old: [
    'MIICRAIBAzCCAgoGCSqGSIb3DQEHAaCCAfsEggH3MIIB8zCCAe8GCSqGSIb3DQEHBqCCAeAwggHcAgEAMIIB1QYJKoZIhvcNAQcB',
    'MBwGCiqGSIb3DQEMAQYwDgQIe1yvvjWnzs8CAggAgIIBqJ8UIEW6D6j5OpL3kMaJ/t/M0gxSZXESg8EpgKc4OJZdwjYPmesvE+wg',
    'EpJF9kYL2iteOlYq8DDOCei5eVlX+K8AtSgQqcHl34/qvSsm5kWcxHyzGehwibZ+pyPZxxw2PjXakxRSGfgb1z7oc8FF5IAHt1pH',
    'ZA9zhGuW9OZ+ve7RDB0M7NtuBFgvCqYoR5aIMKKj/f2zeII1hdUtmHqO7nQQsda/GrcDn2E/ESwJuYT0A9KQuiB9Aagzib7FESI4',
    '8kokJ7FpHWI1SFnqD3g4g8e/ikw5jm/JYsUuDxKOQje0XklrKkXWr24adO2lPkNT4UaFxc/EDw3nnAxnO14sMg4l8QUEqMHD3joc',
    'uj+NqRzXmug0cgygK/xjb6LBCIkTk/IPGUoWHsI8ZM2MLq5A+H9RTLs2E2On4n58JgYauzKxBRYgGiUVaitOVnIoJDRYh7thjJPV',
    'E5i6xPFfx1Lre9alha34gNMQsev4vkO5x2jrhPggoFoYFMkW49EOkdDlOdOW1xVY1nFzZlQpsRLtulPKcDLZUBDIwbqICud+dr4G',
    'VqNLqNH2E38wMTAhMAkGBSsOAwIaBQAEFDcoShxHa/69VrNtbFyl6yk12iRRBAjH9rVyYJxbjAICCAA=',
  ].join(''),
}

const store = (name: keyof typeof STORES): Buffer => Buffer.from(STORES[name], 'base64')

test('certificates are found in stores of keytool and OpenSSL, encrypted or not', () => {
  for (const name of ['keytool', 'openssl', 'open'] as const) {
    const subjects = pkcs12Certificates(store(name), 'changeit').map(der => new X509Certificate(der).subject)
    assert.deepEqual(subjects, ['CN=t'], name)
  }
})

test('a wrong password, and encryption of old, are told', () => {
  assert.throws(() => pkcs12Certificates(store('keytool'), 'guess'), /the password is wrong/)
  assert.throws(() => pkcs12Certificates(store('old'), 'changeit'), /its encryption is an old one/)
})

test('a store that was cut anywhere is refused as damaged', () => {
  const whole = store('openssl')
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => pkcs12Certificates(whole.subarray(0, length), 'changeit'), Pkcs12Error, String(length))
  }
})
