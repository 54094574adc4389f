import { type Helpers, valueHelper } from './helper.ts'
import { lengthOf, printValue, toNumber } from './values.ts'

/** Text and its parts. undefined and null count as ''. */
export const stringHelpers: Helpers = {
  upper: valueHelper((text) => printValue(text).toUpperCase()),
  lower: valueHelper((text) => printValue(text).toLowerCase()),
  trim: valueHelper((text) => printValue(text).trim()),
  titleCase: valueHelper((text) =>
    printValue(text).replace(
      /(^|[\s_-])(\p{Ll})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  ),
  substring: valueHelper((text, start, end) => printValue(text).slice(positionOf(start) ?? 0, positionOf(end))),
  join: {
    run: ([list, given], { budget }) => {
      if (!Array.isArray(list)) return printValue(list)
      const separator = given === undefined ? ',' : printValue(given)
      budget.step(list.length)
      budget.text(list.length * separator.length)
      const parts = list.map((item) => {
        const part = printValue(item)
        budget.text(part.length)
        return part
      })
      return parts.join(separator)
    },
  },
  concat: {
    run: (args, { budget }) => {
      const parts = args.map((arg) => {
        const part = printValue(arg)
        budget.text(part.length)
        return part
      })
      return parts.join('')
    },
  },
  length: valueHelper(lengthOf),
  last: valueHelper((value) => (typeof value === 'string' || Array.isArray(value) ? value.at(-1) : undefined)),
  defaultTo: valueHelper((value, fallback) =>
    value === undefined || value === null || value === '' || Number.isNaN(value) ? fallback : value,
  ),
  typeof: valueHelper(typeOf),
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return value instanceof Date ? 'date' : typeof value
}

function positionOf(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : toNumber(value)
}
