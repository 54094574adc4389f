/** One line of the table. */
export interface Figure {
  what: string
  figure: string
  baseline?: string
  /** Ours through the baseline, with the lowest and highest round. */
  ratio?: string
  budget?: string
  met?: boolean
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]!
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** `12,345` above ten, `1.23` below. */
export function round(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: number < 10 ? 2 : 0 })
}

/** Ratios of rounds as `0.92 (0.88-0.95)`, and their middle. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): { ratio: number; text: string } {
  const ratios = ours.map((one, index) => one / theirs[index]!)
  const ratio = median(ratios)
  return { ratio, text: `${ratio.toFixed(2)} (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})` }
}

/** The table as text, columns padded. */
export function toTable(figures: readonly Figure[]): string {
  const head = ['what', 'figure', 'baseline', 'ratio (rounds)', 'budget', 'met']
  const rows = figures.map(({ what, figure, baseline, ratio, budget, met }) => [
    what,
    figure,
    baseline ?? '',
    ratio ?? '',
    budget ?? '',
    met === undefined ? '' : met ? 'yes' : 'NO',
  ])
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const print = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...rows.map(print)].join('\n')
}
