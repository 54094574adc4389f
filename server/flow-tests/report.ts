import { printProblems } from '../bundle/report.ts'
import { wireText } from './coverage.ts'
import type { CaseResult } from './run-case.ts'
import type { FileResult } from './run-files.ts'

/** What all files came to. `percent`: wires taken of all wires, rounded down; 100 where there are none. */
export interface Totals {
  files: number
  passed: number
  failed: number
  /** Files that could not be read, or whose world could not be made. */
  broken: number
  taken: number
  all: number
  percent: number
}

/** Adds up what became of the files. */
export function totalsOf(results: readonly FileResult[]): Totals {
  const cases = results.flatMap((one) => one.cases)
  const failed = cases.filter((one) => !isPassed(one)).length
  const taken = sum(results.map(({ wires }) => wires.taken))
  const all = sum(results.map(({ wires }) => wires.all))
  const broken = results.filter(({ problems }) => problems.length > 0).length
  const percent = percentOf({ taken, all })
  return { files: results.length, passed: cases.length - failed, failed, broken, taken, all, percent }
}

/** True when a case ended as it expects. */
export function isPassed({ mismatches, problem }: CaseResult): boolean {
  return mismatches.length === 0 && problem === undefined
}

/** One file for a person: its cases, what they did not expect, the wires that none of them took. */
export function printFile({ file, problems, source, cases, wires }: FileResult): string[] {
  if (problems.length > 0) return printProblems(problems, new Map([[file, source]]))
  const lines = cases.flatMap((one) => [
    `  ${isPassed(one) ? 'ok  ' : 'FAIL'}  ${one.name} (${one.milliseconds.toFixed(0)} ms)`,
    ...linesOf(one).map((line) => `          ${line}`),
  ])
  const missing = wires.missing.map((wire) => `          not taken: ${wireText(wire)}`)
  const { taken, all } = wires
  return [file, ...lines, `  wires ${taken} of ${all} (${percentOf(wires)} %)`, ...missing]
}

/** What is wrong with a case, a line for each place. */
export function linesOf({ mismatches, problem }: CaseResult): string[] {
  const told = problem === undefined ? [] : [problem]
  return [...told, ...mismatches.map(({ at, expected, got }) => `${at}: expected ${expected}, got ${got}`)]
}

/** All files in one line. */
export function printTotals({ files, passed, failed, broken, taken, all, percent }: Totals): string {
  const unread = broken === 0 ? '' : `, ${broken} files could not be run`
  return `${files} files, ${passed} passed, ${failed} failed${unread}; wires ${taken} of ${all} (${percent} %)`
}

function percentOf({ taken, all }: { taken: number; all: number }): number {
  return all === 0 ? 100 : Math.floor((100 * taken) / all)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
