import type { RE2JS } from 're2js'
import type { FlowError } from '../../engine/errors.ts'
import { compileLinear } from '../../engine/linear-pattern.ts'
import type { KeywordScope } from './schema-keyword.ts'
import { spend, type Walk } from './schema-walk.ts'

const MOST_PATTERN_CHARS = 1_000
const MOST_CACHED = 200

const patterns = new Map<string, RE2JS>()

/**
 * Whether a regular expression of a schema occurs in a text, in time linear in the text. Throws what `invalid` makes for
 * one that does not parse, needs backtracking (look-around, `\1`) or repeats too much, alone or with the others of its schema.
 */
export function compilePattern(
  source: string,
  { invalid, work }: Pick<KeywordScope, 'invalid' | 'work'>,
): (text: string, walk: Walk) => boolean {
  const pattern = patterns.get(source) ?? parse(source, invalid)
  work.patterns -= pattern.programSize()
  if (work.patterns < 0) throw invalid('patterns that repeat less, all together')
  const stepsPerChar = pattern.programSize() / 5
  return (text, walk) => {
    spend(walk, 1 + text.length * stepsPerChar)
    return pattern.test(text)
  }
}

function parse(source: string, invalid: (expected: string) => FlowError): RE2JS {
  const expected = `a pattern without look-around, back references and many repetitions, of at most ${MOST_PATTERN_CHARS} characters`
  if (source.length > MOST_PATTERN_CHARS) throw invalid(expected)
  let pattern: RE2JS
  try {
    pattern = compileLinear(source)
  } catch {
    throw invalid(`${expected}; got "${source.slice(0, 100)}"`)
  }
  if (patterns.size >= MOST_CACHED) patterns.delete(patterns.keys().next().value!)
  patterns.set(source, pattern)
  return pattern
}
