import { parseArgs } from 'node:util'
import { openTemplates } from '../../engine/template.ts'
import { catalog } from '../../nodes/index.ts'
import { checkPath, type PathResult } from '../bundle/check-path.ts'
import type { Problem } from '../bundle/problem.ts'
import { printProblems, printUnsupported } from '../bundle/report.ts'
import { ConfigError } from '../config.ts'
import type { CommandIo } from './io.ts'

/** `check PATH... [--json]`: every problem in flow files and folders. Exit code 1 when one of them is an error. */
export async function checkCommand(args: string[], io: Pick<CommandIo, 'out' | 'err'>): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  if (positionals.length === 0) throw new ConfigError('Expected a flow file or a folder: check PATH... [--json]')
  const results: PathResult[] = []
  for (const path of positionals) results.push(await checkPath(path, { catalog, templates: openTemplates() }))
  const problems = results.flatMap((one) => one.problems)
  const errors = problems.filter((one) => one.severity === 'error').length
  if (values.json) io.out(JSON.stringify(toJson(results), null, 2))
  else {
    for (const one of results) for (const line of printProblems(one.problems, one.sources)) io.out(line)
    for (const line of printUnsupported(unsupportedIn(results))) io.out(line)
    const flows = results.reduce((sum, one) => sum + one.flows.length, 0)
    io.out(`${flows} flows, ${errors} errors, ${problems.length - errors} warnings`)
  }
  return errors > 0 ? 1 : 0
}

function toJson(results: readonly PathResult[]) {
  const files = results.flatMap(({ flows, problems }) => {
    const entries = new Map<string, { file: string; flow: string | null; problems: object[] }>()
    const entry = (file: string, flow: string | null) => {
      const key = JSON.stringify([file, flow])
      if (!entries.has(key)) entries.set(key, { file, flow, problems: [] })
      return entries.get(key)!
    }
    for (const { file, flow } of flows) entry(file, flow)
    for (const one of problems) entry(one.file, one.flow ?? null).problems.push(problemToJson(one))
    return [...entries.values()]
  })
  return { files, unsupported: unsupportedIn(results) }
}

function problemToJson({ code, message, node, pointer }: Problem) {
  return { code, message, node: node ?? null, pointer: pointer ?? '' }
}

function unsupportedIn(results: readonly PathResult[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { unsupported } of results) {
    for (const [type, count] of Object.entries(unsupported)) counts.set(type, (counts.get(type) ?? 0) + count)
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
