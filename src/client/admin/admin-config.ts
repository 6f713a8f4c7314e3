import { type ConfigTable, defineConfig } from '../../config/index.ts'
import { commonClientKeys } from '../client-config.ts'

/** Keys of an admin client, with Java's names and defaults (AdminClientConfig). */
export const adminKeys = {
  ...commonClientKeys,
  'default.api.timeout.ms': {
    type: 'int',
    default: 60_000,
    importance: 'medium',
    doc: 'How long a call may take, with all its tries, where it says nothing of its own.',
  },
} as const satisfies ConfigTable

export const adminConfig = defineConfig(adminKeys)
