/** The page of error codes. */
import { CLIENT_ERRORS, ERROR_NAMES, ErrorCode, errorMessage, KafkaError } from '../../src/protocol/index.ts'
import { code, page, table } from './markdown.ts'

/** Every error that a response can hold. */
export function errorPage(): string {
  const rows = ERROR_NAMES.map(name => [
    String(ErrorCode[name]),
    code(name),
    new KafkaError(name).retriable ? 'yes' : '',
    errorMessage(name),
  ])
  return page('Errors', [
    "Codes, names and what is worth trying again are Apache Kafka 4.3's; the words are ours. Where a response has room " +
      'for a message, it is often more exact than what stands here.',
    table(['Code', 'Name', 'Retriable', 'Meaning'], rows),
    'Errors that only a client knows, and that never go over the wire:',
    table(
      ['Name', 'Meaning'],
      Object.entries(CLIENT_ERRORS).map(([name, meaning]) => [code(name), meaning]),
    ),
  ])
}
