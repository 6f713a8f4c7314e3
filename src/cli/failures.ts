/** Runs a command; what goes wrong is one line on standard error, and exit code 1. */
export async function oneLineOnFailure(command: () => Promise<void>): Promise<void> {
  // Whoever reads our output may stop before its end (`| head`), which is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    await command()
  } catch (error) {
    console.error(`monedula: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
