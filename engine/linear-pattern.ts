import { RE2JS } from 're2js'

/** Steps that a pattern may have once its repetitions are written out: 5,000 take some ten milliseconds to compile. */
const MOST_SIZE = 5_000

/**
 * A regular expression whose search takes time linear in the text. Throws for one that does not parse, needs backtracking
 * (look-around, `\1`) or is too large: a thousand characters can ask for millions of steps, which are made while everyone
 * waits and kept as long as the pattern is.
 */
export function compileLinear(source: string): RE2JS {
  const translated = RE2JS.translateRegExp(source)
  if (patternSize(translated) > MOST_SIZE) throw new Error('The pattern is too large: it repeats too much')
  return RE2JS.compile(translated)
}

/** About how many steps a pattern in the language of RE2 becomes, told without compiling it; rather too many than too few. */
export function patternSize(source: string): number {
  const outside: Sum[] = []
  let sum = nothing()
  for (let at = 0; at < source.length; ) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(source)![0]
    at = TOKEN.lastIndex
    if (token === '(') {
      outside.push(sum)
      sum = nothing()
    } else if (token === ')') {
      // Where there is none to close, all that was before is taken for the group.
      sum = append(outside.pop() ?? nothing(), sum.before + sum.last + 2)
    } else if (/^\{\d/.test(token)) {
      const [least = 0, most = 0] = token.slice(1, -1).split(',').map(Number)
      sum.last = (sum.last + 1) * Math.max(1, least, most)
    } else sum = append(sum, token.startsWith('\\Q') ? token.length : 1)
  }
  return outside.reduce((size, { before, last }) => size + before + last, sum.before + sum.last)
}

/** The steps of a group so far; those of its last part can still be repeated. */
interface Sum {
  before: number
  last: number
}

// A quoted text, an escape, a class with the named classes in it, a repetition; else one character.
const TOKEN = /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*(?:\]|$)|\{\d+(?:,\d*)?\}|[\s\S]/y

function nothing(): Sum {
  return { before: 0, last: 0 }
}

function append({ before, last }: Sum, size: number): Sum {
  return { before: before + last, last: size }
}
