import { formatLocale, formatSpecifier } from 'd3-format'
import { FlowError } from '../errors.ts'
import { formatDate } from './dates.ts'
import { toJson } from './encoding.ts'
import type { Call, Helpers } from './helper.ts'
import { printValue } from './values.ts'

const MOST_WIDTH = 100
const MOST_CACHED = 200

// The default of the library is a typographic minus, which no number parser reads.
const locale = formatLocale({ decimal: '.', thousands: ',', grouping: [3], currency: ['$', ''], minus: '-' })
const formats = new Map<string, (value: number) => string>()

/** `format`: a number by a d3 specifier, a Date by Moment tokens, an object as JSON text; anything else as it is. */
export const numberHelpers: Helpers = {
  format: { run: ([value, format], call) => formatValue(value, format, call) },
}

function formatValue(value: unknown, format: unknown, { hash }: Call): unknown {
  const given = format === undefined || format === null ? undefined : printValue(format)
  if (typeof value === 'number') return formatNumber(value, given ?? ',.6')
  if (value instanceof Date) {
    const tokens = given || 'L LTS'
    return formatDate(value, { format: tokens === 'date-time-local' ? 'YYYY-MM-DDTHH:mm' : tokens, ...zoneOf(hash) })
  }
  return value !== null && typeof value === 'object' ? toJson(value) : value
}

/** A number by a d3 specifier such as `0.2f`. Throws `template.helper` for a specifier that does not exist. */
export function formatNumber(value: number, specifier: string): string {
  let format = formats.get(specifier)
  if (!format) {
    format = compileFormat(specifier)
    if (formats.size >= MOST_CACHED) formats.delete(formats.keys().next().value!)
    formats.set(specifier, format)
  }
  return format(value)
}

/** The zone and locale among the named arguments of a helper. */
export function zoneOf(hash: Readonly<Record<string, unknown>>): { tz?: string; locale?: string } {
  const { tz, locale: language } = hash
  return { tz: tz ? printValue(tz) : undefined, locale: language ? printValue(language) : undefined }
}

function compileFormat(specifier: string): (value: number) => string {
  const problem = (cause?: unknown) =>
    new FlowError(
      'template.helper',
      `Expected a number format such as "0.2f" of at most ${MOST_WIDTH} characters in width, got "${specifier.slice(0, 50)}".`,
      { cause },
    )
  try {
    const parsed = formatSpecifier(specifier)
    if ((parsed.width ?? 0) <= MOST_WIDTH) return locale.format(specifier)
  } catch (error) {
    throw problem(error)
  }
  throw problem()
}
