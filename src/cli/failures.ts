const WAY_OUT = 'is a broker running there? Name one with --bootstrap-server, or run one with: monedula start'
const UNREACHABLE: ReadonlySet<unknown> = new Set(['NETWORK_EXCEPTION', 'BROKER_NOT_AVAILABLE'])

/** Runs a command; what goes wrong is one line on standard error, and exit code 1. */
export async function oneLineOnFailure(command: () => Promise<void>): Promise<void> {
  // Whoever reads our output may stop before its end (`| head`), which is no failure.
  let isTold = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    process.exitCode = 1
    if (!isTold) console.error(`monedula: standard output cannot be written: ${oneLine(error.message)}`)
    isTold = true
  })
  try {
    await command()
  } catch (error) {
    console.error(`monedula: ${explanation(error)}`)
    process.exitCode = 1
  }
}

/**
 * Does one thing for each name, also after one of them failed: what the cluster says of a name is a line each, and exit code 1. Where no
 * broker can be reached, it ends at once.
 */
export async function eachOf(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  for (const name of names) {
    try {
      await act(name)
    } catch (error) {
      if (isUnreachable(error)) throw error
      console.error(`monedula: ${explanation(error)}`)
      process.exitCode = 1
    }
  }
}

function explanation(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error))
  const message = oneLine(error.message)
  return isUnreachable(error) ? `${message}; ${WAY_OUT}` : message
}

/** Whether no broker could be talked to, at the bottom of what went wrong. */
function isUnreachable(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && UNREACHABLE.has(cause.code)) return true
  }
  return false
}

/** Text without ends of lines. */
export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
