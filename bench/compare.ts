import { type Figure, median, ratioOf, round } from './figure.ts'
import type { SideFigures } from './rounds.ts'

/**
 * Two sides in two lines: requests a second, whose ratio has to be `least`; and the processor time of a request, which
 * tells nearly the same and does not care who else used the machine.
 */
export function compare(what: string, ours: SideFigures[], theirs: SideFigures[], least: number): Figure[] {
  const of = (side: SideFigures[], key: keyof SideFigures) => side.map((one) => one[key])
  const rate = ratioOf(of(ours, 'perSecond'), of(theirs, 'perSecond'))
  const cpu = ratioOf(of(theirs, 'cpuUs'), of(ours, 'cpuUs'))
  return [
    {
      what,
      figure: said(ours),
      baseline: said(theirs),
      ratio: rate.text,
      budget: `>= ${least} x`,
      met: rate.ratio >= least,
    },
    {
      what: '  processor time of a request',
      figure: `${round(middle(ours, 'cpuUs'))} us`,
      baseline: `${round(middle(theirs, 'cpuUs'))} us`,
      ratio: cpu.text,
    },
  ]
}

/** The median of the rounds. */
export function middle(side: SideFigures[], key: keyof SideFigures): number {
  return median(side.map((one) => one[key]))
}

/** `9,120/s, 1.7 ms, p99 3.1 ms`: medians of the rounds. */
export function said(side: SideFigures[]): string {
  const show = (key: keyof SideFigures) => round(middle(side, key))
  return `${show('perSecond')}/s, ${show('medianMs')} ms, p99 ${show('p99Ms')} ms`
}
