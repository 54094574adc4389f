import type { RE2JS } from 're2js'
import type { Budget } from '../budget.ts'
import { FlowError } from '../errors.ts'
import { compileLinear } from '../linear-pattern.ts'

const MOST_PATTERN_CHARS = 1000
const MOST_CACHED = 200

const patterns = new Map<string, RE2JS | undefined>()

/**
 * Whether a regular expression of an author occurs in a text, in time linear in the text. A pattern that no JavaScript
 * engine would take matches nothing. Throws `template.helper` for one that needs backtracking (look-around, `\1`).
 */
export function matchesPattern(text: string, source: string, budget: Budget): boolean {
  const pattern = patterns.has(source) ? patterns.get(source) : compilePattern(source, budget)
  if (!pattern) return false
  budget.step((text.length * pattern.programSize()) / 100)
  return pattern.test(text)
}

function compilePattern(source: string, budget: Budget): RE2JS | undefined {
  if (source.length > MOST_PATTERN_CHARS)
    throw new FlowError(
      'template.helper',
      `Expected a pattern of at most ${MOST_PATTERN_CHARS} characters, got ${source.length}. Match in several steps.`,
    )
  budget.step(source.length)
  const pattern = parsePattern(source)
  if (patterns.size >= MOST_CACHED) patterns.delete(patterns.keys().next().value!)
  patterns.set(source, pattern)
  return pattern
}

function parsePattern(source: string): RE2JS | undefined {
  try {
    return compileLinear(source)
  } catch (cause) {
    if (!isJavaScriptPattern(source)) return undefined
    const [what, advice] = /repeat|large/i.test((cause as Error).message)
      ? ['of fewer repetitions', 'Count less in it.']
      : ['without look-around and back references', 'Write it without them.']
    throw new FlowError('template.helper', `Expected a pattern ${what}, got "${source}". ${advice}`, { cause })
  }
}

function isJavaScriptPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp
  } catch {
    // Not a pattern in any dialect: it matches nothing.
    return false
  }
}
