export { crc32c, crc32cIsNative } from './crc32c.ts'
export * from './records/index.ts'
