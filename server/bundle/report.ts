import { linesOf } from './parse.ts'
import type { Problem } from './problem.ts'

/** Problems as lines for a person, by file. `sources` are the texts of the files, where there is one, for line numbers. */
export function printProblems(
  problems: readonly Problem[],
  sources: ReadonlyMap<string, string> = new Map(),
): string[] {
  const lines: string[] = []
  for (const file of new Set(problems.map((one) => one.file))) {
    const source = sources.get(file)
    const lineAt = source === undefined ? () => undefined : linesOf(source)
    for (const one of problems.filter((each) => each.file === file)) {
      const line = one.line ?? (one.pointer === undefined ? undefined : lineAt(one.pointer))
      const place = `${file || '(folder)'}${line === undefined ? '' : `:${line}`}`
      const flow = one.flow === undefined || one.flow === '' ? '' : ` flow "${one.flow}"`
      const node = one.node === undefined ? '' : ` node ${one.node}`
      const at = one.pointer === undefined || one.pointer === '' ? '' : ` at ${one.pointer}`
      lines.push(`${place}: ${one.severity}${flow}${node}${at}: ${one.message} (${one.code})`)
    }
  }
  return lines
}

/** What is not supported, as one table for a person; empty when there is nothing. */
export function printUnsupported(unsupported: Record<string, number>): string[] {
  const rows = Object.entries(unsupported).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  if (rows.length === 0) return []
  const width = Math.max(...rows.map(([type]) => type.length))
  return ['Not supported:', ...rows.map(([type, count]) => `  ${type.padEnd(width)}  ${count}`)]
}
