import type { Handler } from '../handler.ts'
import { apiVersions } from './18-api-versions.ts'

/**
 * Every API that the broker serves, by key. Dispatch, ApiVersions, metrics and the docs' table derive from this one list.
 */
export const handlers: readonly Handler[] = [apiVersions]
