import { Refusal } from '../../nodes/services/listing.ts'
import type { DataColumn } from '../store/documents/tables.ts'
import { castState } from './cast.ts'
import { type Check, isObject, listOf, oneOf, orNothing, refused, text } from './check.ts'

export const mostColumns = 100
/** Columns that every row has. */
export const builtIn = ['id', 'createdAt', 'updatedAt'] as const

/** Names that no column may have: those of rows themselves, and what objects have of their own. */
const taken: readonly string[] = [...builtIn, '__proto__', 'constructor', 'prototype']

export const dataTypes = ['string', 'number', 'boolean'] as const
export const constraints = ['unique', 'required', 'optional'] as const

/** A column without the key of its cells. */
export type ColumnFields = Omit<DataColumn, 'key'>
export type CellValue = string | number | boolean | null

export const columnName: Check<string> = (value, place) => {
  if (typeof value !== 'string' || !/^[0-9a-zA-Z_-]{1,255}$/.test(value)) {
    throw refused(place, '1 to 255 letters, digits, "_" or "-"', value)
  }
  if (taken.includes(value)) throw refused(place, `another name than ${taken.join(', ')}`, value)
  return value
}

export const column: Check<ColumnFields> = (value, place) => {
  if (!isObject(value)) throw refused(place, '{ name, dataType, constraint }', value)
  const name = columnName(value.name, `${place}.name`)
  const dataType = oneOf(dataTypes)(value.dataType, `${place}.dataType`)
  const constraint = oneOf(constraints)(value.constraint, `${place}.constraint`)
  const given = value.defaultValue
  if (given === undefined || given === null || given === '') return { name, dataType, constraint }
  return { name, dataType, constraint, defaultValue: castCell({ name, dataType }, given, `${place}.defaultValue`)! }
}

/** Throws Refusal for two columns of one name. */
export const columns: Check<ColumnFields[]> = (value, place) => {
  const read = listOf(column, mostColumns)(value, place)
  const twice = read.find(({ name }, i) => read.findIndex((other) => other.name === name) !== i)
  if (twice !== undefined) throw refused(place, 'columns of different names', twice.name)
  return read
}

export const tableFields = { name: text(1, 255), description: orNothing(text(0, 32_767)) }

/**
 * The value as a column keeps it: cast to its type; null stays null, and blank text is null where it is no text. Throws Refusal
 * `Validation` for what cannot be of the type.
 */
export function castCell(
  { name, dataType }: Pick<DataColumn, 'name' | 'dataType'>,
  value: unknown,
  place = name,
): CellValue {
  if (value === null || value === undefined) return null
  if (dataType !== 'string' && typeof value === 'string' && value.trim() === '') return null
  const cast = castState(value, dataType)
  if (cast !== undefined) return cast
  throw refused(place, dataType === 'string' ? 'text of at most 65536 bytes' : `a ${dataType}`, value)
}

/** The cells that a row gives, by key; what is no column is left out. Throws Refusal for a row that is no object. */
export function givenCells(columns: readonly DataColumn[], row: unknown): Record<string, CellValue> {
  if (!isObject(row)) throw refused('row', 'an object of values by column', row)
  const own = columns.filter(({ name }) => Object.hasOwn(row, name) && row[name] !== undefined)
  return Object.fromEntries(own.map((one) => [one.key, castCell(one, row[one.name])]))
}

/** All cells of a new row: what is given, defaults where an optional column is left out, null for the rest. */
export function newCells(columns: readonly DataColumn[], given: Record<string, CellValue>): Record<string, CellValue> {
  const cells = columns.map(({ key, constraint, defaultValue }): [string, CellValue] => {
    if (Object.hasOwn(given, key)) return [key, given[key]!]
    return [key, constraint === 'optional' ? (defaultValue ?? null) : null]
  })
  return Object.fromEntries(cells)
}

/** Throws Refusal `Validation` for a required column without a value. */
export function checkRequired(columns: readonly DataColumn[], cells: Readonly<Record<string, CellValue>>): void {
  const empty = columns.find(({ key, constraint }) => constraint === 'required' && (cells[key] ?? null) === null)
  if (empty === undefined) return
  throw new Refusal('Validation', `Expected a value of the required column "${empty.name}", got nothing`)
}
