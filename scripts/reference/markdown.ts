/** Marks that the reference pages are made of. */

/** A page; blocks are paragraphs, tables or headings with what follows them. */
export function page(title: string, blocks: readonly string[]): string {
  return `${[`# ${title}`, '<!-- Written by `npm run docs`. -->', ...blocks].join('\n\n')}\n`
}

/** A table; cells are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (items: readonly string[]): string => `| ${items.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text as it is typed, safe inside a table. */
export function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``
}
