import { isPassed, linesOf } from './report.ts'
import type { FileResult } from './run-files.ts'

/** The results as JUnit XML, a suite for each file. A file that could not be run is a suite with one error. */
export function toJunit(results: readonly FileResult[]): string {
  const suites = results.map(({ file, problems, cases }) => {
    const failed = cases.filter((one) => !isPassed(one)).length
    const errors = problems.length > 0 ? 1 : 0
    const seconds = cases.reduce((total, one) => total + one.milliseconds, 0) / 1000
    const counts = `tests="${cases.length + errors}" failures="${failed}" errors="${errors}" time="${seconds.toFixed(3)}"`
    const broken = problems.map(({ pointer = '', message }) => `${pointer}: ${message}`).join('\n')
    return [
      `  <testsuite name="${escaped(file)}" ${counts}>`,
      ...(errors ? [caseXml({ file, name: 'can be run', seconds: 0 }, { error: broken })] : []),
      ...cases.map((one) => {
        const failure = isPassed(one) ? undefined : linesOf(one).join('\n')
        return caseXml({ file, name: one.name, seconds: one.milliseconds / 1000 }, { failure })
      }),
      '  </testsuite>',
    ].join('\n')
  })
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join('\n')
}

function caseXml(
  { file, name, seconds }: { file: string; name: string; seconds: number },
  { failure, error }: { failure?: string; error?: string },
): string {
  const head = `    <testcase classname="${escaped(file)}" name="${escaped(name)}" time="${seconds.toFixed(3)}"`
  const [tag, text] = failure === undefined ? ['error', error] : ['failure', failure]
  if (text === undefined) return `${head}/>`
  const first = escaped(text.split('\n')[0]!)
  return `${head}>\n      <${tag} message="${first}">${escaped(text)}</${tag}>\n    </testcase>`
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

// What XML 1.0 cannot hold in any form, such as control characters and halves of pairs, becomes a question mark.
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '?')
    .replace(/[&<>"']/g, (one) => entities[one]!)
}
