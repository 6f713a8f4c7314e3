import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'
import { blocksOf } from './guide-blocks.ts'

/**
 * Lets the compiler look at what a guide shows of another library (`js`), each block by itself, in a folder of a project that has the
 * library. `declared` has the imports, and the names that the blocks take for granted.
 * @throws with what the compiler says of a call or an option that the library does not have
 */
export async function compileForeign(page: string, directory: string, declared: string): Promise<void> {
  const work = join(directory, `foreign-${page}`)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const blocks = blocksOf(page).filter(({ language }) => language === 'js')
  const bodies = blocks.map(({ code }) => `void async function () {\n${code}}\n`)
  writeFileSync(join(work, 'shown.ts'), `${declared}\n${bodies.join('')}`)
  const compilerOptions = {
    noEmit: true,
    strict: false,
    target: 'es2023',
    module: 'nodenext',
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [fromRoot('node_modules/@types')],
  }
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['shown.ts'] }))
  const compiler = fromRoot('node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, '-p', work, '--pretty', 'false'])
}
