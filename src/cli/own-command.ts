import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeDisk } from '../platform/index.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The example of a clone; undefined in the package that users install, which has none. */
export function helloExample(): string | undefined {
  const example = join(root, 'examples', 'hello.mjs')
  return nodeDisk.stat(example) === undefined ? undefined : relative('', example)
}

/** What somebody types to run `monedula` here. */
export const ownCommand = (): string =>
  helloExample() === undefined ? 'npx monedula' : `node ${relative('', join(root, 'bin', 'monedula.js'))}`
