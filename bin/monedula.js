#!/usr/bin/env node
// The command is bundled, because few files load faster than many; where something was compiled since, it runs as it is compiled.
import { readdirSync, statSync } from 'node:fs'

const dist = new URL('../dist/', import.meta.url)
const modifiedMs = path => statSync(new URL(path, dist), { throwIfNoEntry: false })?.mtimeMs ?? 0
const bundledMs = modifiedMs('bundle/cli/monedula.js')
const isFresh =
  bundledMs > 0 &&
  readdirSync(new URL('src/', dist)).every(layer => modifiedMs(`src/${layer}/.tsbuildinfo`) < bundledMs)
await import(new URL(isFresh ? 'bundle/cli/monedula.js' : 'src/cli/monedula.js', dist).href)
