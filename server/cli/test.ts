import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config.ts'
import { toJunit } from '../flow-tests/junit.ts'
import { printFile, printTotals, totalsOf } from '../flow-tests/report.ts'
import { findTestFiles, runTestFiles } from '../flow-tests/run-files.ts'
import type { CommandIo } from './io.ts'

/**
 * `test [PATH...]`: runs the flow tests at the paths (default: here), each a file, a folder, or a flow with its tests beside
 * it. Exit code 1 when a case fails, a file cannot be run, or fewer than `--min-coverage` percent of all wires are taken.
 */
export async function testCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      junit: { type: 'string' },
      'min-coverage': { type: 'string', default: '0' },
    },
  })
  const least = percentIn(values['min-coverage'])
  const paths = positionals.length === 0 ? ['.'] : positionals
  const files = await findTestFiles(paths)
  if (files.length === 0)
    throw new ConfigError(`Expected files named *.test.yaml or *.test.json in ${paths.join(', ')}`)
  const results = await runTestFiles(files, (result) => {
    if (!values.json) for (const line of printFile(result)) io.out(line)
  })
  const totals = totalsOf(results)
  if (values.junit !== undefined) await writeFile(values.junit, toJunit(results))
  if (values.json) {
    io.out(JSON.stringify({ files: results.map(({ source: _, ...rest }) => rest), totals }, null, 2))
  } else io.out(printTotals(totals))
  const enough = totals.percent >= least
  if (!enough) io.err(`Expected at least ${least} % of the wires to be taken, got ${totals.percent} %`)
  return totals.failed === 0 && totals.broken === 0 && enough ? 0 : 1
}

function percentIn(given: string): number {
  const percent = Number(given.trim() || Number.NaN)
  if (percent >= 0 && percent <= 100) return percent
  throw new ConfigError(`--min-coverage: expected a number from 0 to 100, got "${given}"`)
}
