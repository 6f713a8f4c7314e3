import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Another process that answers each line with a line. */
export class LineAnswers {
  readonly #questions: Writable
  readonly #answers: Interface

  constructor(questions: Writable, answers: Readable) {
    this.#questions = questions
    this.#answers = createInterface({ input: answers })
  }

  /** Asks, and rejects when there is nobody any more. */
  ask(question: string): Promise<string> {
    const line = new Promise<string>((resolve, reject) => {
      const lost = (): void => reject(new Error(`nobody answers: ${question}`))
      this.#answers.once('close', lost)
      this.#answers.once('line', answer => {
        this.#answers.off('close', lost)
        resolve(answer)
      })
    })
    this.#questions.write(`${question}\n`)
    return line
  }
}
