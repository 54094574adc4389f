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

/** As JSON.parse, with its SyntaxError. Throws `value.too-deep` for more than 500 levels, before any work. */
export function parseJsonText(text: string): unknown {
  if (nestsDeeper(text, MOST_LEVELS)) {
    throw new FlowError('value.too-deep', `Expected JSON of at most ${MOST_LEVELS} levels, got more. Nest it less.`)
  }
  return JSON.parse(text) as unknown
}

const QUOTE = 0x22
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
