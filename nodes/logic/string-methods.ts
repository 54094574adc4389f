import { FlowError } from '../../engine/errors.ts'
import { checkListLength, checkTextLength } from '../bounds.ts'

type Method = (source: string, args: readonly string[]) => string | number | string[] | null

const MOST_PAD = 1_000

/** What a String node can do with a text, by the published name. Texts to look for are plain, never patterns. */
export const stringMethods = {
  replaceAll: (source, [match = '', replacement = '']) => replaceAll(source, match, replacement),
  replaceFirst(source, [match = '', replacement = '']) {
    const at = match === '' ? -1 : source.indexOf(match)
    return at < 0 ? source : checked(source.slice(0, at) + replacement + source.slice(at + match.length))
  },
  split(source, [separator = '']) {
    const parts = source.split(separator)
    checkListLength(parts.length)
    return parts
  },
  concat(source, args) {
    checkTextLength(args.reduce((length, one) => length + one.length, source.length))
    return [source, ...args].join('')
  },
  indexOf: (source, [search = '', from = '']) => source.indexOf(search, numberOf(from, 'Start', 0)),
  toUpper: (source) => source.toUpperCase(),
  toLower: (source) => source.toLowerCase(),
  trim: (source) => source.trim(),
  trimStart: (source) => source.trimStart(),
  trimEnd: (source) => source.trimEnd(),
  toNumber(source) {
    const value = source.trim() === '' ? Number.NaN : Number(source)
    return Number.isFinite(value) ? value : null
  },
  pad(source, args) {
    const { length, fill } = padOf(args)
    const missing = Math.max(0, length - source.length)
    return source.padStart(source.length + Math.floor(missing / 2), fill).padEnd(Math.max(length, source.length), fill)
  },
  padStart(source, args) {
    const { length, fill } = padOf(args)
    return source.padStart(length, fill)
  },
  padEnd(source, args) {
    const { length, fill } = padOf(args)
    return source.padEnd(length, fill)
  },
  truncate(source, [size = '', ellipsis = '...']) {
    const length = numberOf(size, 'Length')
    if (length < 0) throw wrong('Length', 'a number from 0', size)
    if (source.length <= length) return source
    return source.slice(0, Math.max(0, length - ellipsis.length)) + ellipsis.slice(0, length)
  },
} satisfies Record<string, Method> as Record<StringMethod, Method>

export type StringMethod =
  | 'replaceAll'
  | 'replaceFirst'
  | 'split'
  | 'concat'
  | 'indexOf'
  | 'toUpper'
  | 'toLower'
  | 'trim'
  | 'trimStart'
  | 'trimEnd'
  | 'toNumber'
  | 'pad'
  | 'padStart'
  | 'padEnd'
  | 'truncate'

function replaceAll(source: string, match: string, replacement: string): string {
  if (match === '') return source
  const parts = source.split(match)
  checkTextLength(source.length + (parts.length - 1) * (replacement.length - match.length))
  return parts.join(replacement)
}

function checked(text: string): string {
  checkTextLength(text.length)
  return text
}

function padOf([size = '', fill = '']: readonly string[]): { length: number; fill: string } {
  const length = numberOf(size, 'Length')
  if (length < 0 || length > MOST_PAD) throw wrong('Length', `a number from 0 to ${MOST_PAD}`, size)
  return { length, fill: fill === '' ? ' ' : fill }
}

function numberOf(text: string, name: string, blank?: number): number {
  if (text.trim() === '' && blank !== undefined) return blank
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw wrong(name, 'a number', text)
  return Math.trunc(value)
}

function wrong(name: string, expected: string, got: string): FlowError {
  return new FlowError(
    'string.argument',
    `Expected the argument "${name}" to be ${expected}, got "${got.slice(0, 50)}". Check its template.`,
  )
}
