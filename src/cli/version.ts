import { createRequire } from 'node:module'

// Resolved from the compiled file: dist/src/cli.
const manifest: unknown = createRequire(import.meta.url)('../../../package.json')

/** The version of this package. */
export const version =
  manifest !== null && typeof manifest === 'object' && 'version' in manifest ? String(manifest.version) : 'unknown'
