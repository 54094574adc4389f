import { FlowError } from './errors.ts'

const MOST_LEVELS = 500

/**
 * Whether JSON text nests more than `most` levels. Told without parsing it: what a megabyte of brackets becomes holds up
 * the process for a second, in the parser and then in the garbage collector. Text that is not JSON gives either answer.
 */
export function nestsDeeper(text: string, most: number): boolean {
  if (text.length <= most) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i + 1)
        break
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > most) return true
        break
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--
    }
  }
  return false
}

/** Different keys that JSON text may have. */
export const MOST_JSON_KEYS = 20_000

/**
 * Whether JSON text has more than `most` different keys. Told without parsing it: each of them is made a name of its own, which takes
 * microseconds in the parser and again whenever the value is copied or measured. Text that is not JSON gives either answer.
 */
export function hasMoreKeys(text: string, most = MOST_JSON_KEYS): boolean {
  // A key takes five characters at least: {"a":1,"b":1}.
  if (text.length <= most * 5) return false
  const keys = new Set<string>()
  for (let start = text.indexOf('"'); start !== -1; ) {
    const end = endOfString(text, start + 1)
    let after = end + 1
    while (isBlank(text.charCodeAt(after))) after++
    const code = text.charCodeAt(after)
    if (code === COLON) {
      if (keys.add(text.slice(start + 1, end)).size > most) return true
    } else if (code !== COMMA && code !== CLOSE_LIST && code !== CLOSE_OBJECT) return false
    start = text.indexOf('"', after)
  }
  return false
}

/**
 * As JSON.parse, with its SyntaxError. Throws `value.too-deep` for more than 500 levels and `limit.payload` for more than 20,000
 * different keys, before any work.
 */
export function parseJsonText(text: string): unknown {
  if (nestsDeeper(text, MOST_LEVELS)) {
    throw new FlowError('value.too-deep', `Expected JSON of at most ${MOST_LEVELS} levels, got more. Nest it less.`)
  }
  if (hasMoreKeys(text)) {
    throw new FlowError(
      'limit.payload',
      `Expected JSON of at most ${MOST_JSON_KEYS} different keys, got more. Make lists of what has names of its own.`,
    )
  }
  return JSON.parse(text) as unknown
}

const QUOTE = 0x22
const COLON = 0x3a
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

function endOfString(text: string, start: number): number {
  let i = start
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) break
    if (code === BACKSLASH) i++
  }
  return i
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
