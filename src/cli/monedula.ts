/** The `monedula` command. */
import { monedulaProgram } from './program.ts'

await monedulaProgram().parseAsync()
