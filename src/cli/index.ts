export { monedulaProgram, withCommandsOf } from './program.ts'
