// @ts-ignore: Node requires ES modules (20.19 and up), which compilers with `module: node16` do not know.
export * from '../dist/src/testing/index.js'
