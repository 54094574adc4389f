import { Refusal } from '../../nodes/services/listing.ts'
import { parseQuery } from '../query.ts'
import { compare, equalities, type Field, idOperators, textOperators, toTime } from '../query-fields.ts'
import { toText, wrong } from '../query-operands.ts'
import type { DataColumn, DataTableDocument } from '../store/documents/tables.ts'
import type { Filter, FindQuery, Scalar } from '../store/port.ts'
import { castState } from './cast.ts'
import { createdKey, updatedKey } from './data-table-views.ts'

/** The rows of a table that a query in the published language finds. Throws Refusal `Validation`. */
export async function rowFilter(table: DataTableDocument, query: unknown): Promise<Filter> {
  const fields: [string, Field][] = [
    ['id', idField],
    ['createdAt', dateField(createdKey(table.id))],
    ['updatedAt', dateField(updatedKey(table.id))],
    ...table.columns.map((one): [string, Field] => [one.name, columnField(one)]),
  ]
  const filter = await parseQuery({ of: 'table rows', fields: Object.fromEntries(fields) }, query, {})
  const whole = rowsOf(table.id)
  if ('all' in filter) return { all: [whole, ...filter.all] }
  return { all: [whole, filter] }
}

/** All rows of a table. */
export function rowsOf(tableId: string): Filter {
  return { field: 'tableId', op: 'eq', value: tableId }
}

/** The order of rows by a column, built-in ones among them. Throws Refusal `Validation` for what is none. */
export function rowOrder(table: DataTableDocument, name: string, direction: 'asc' | 'desc'): FindQuery['sort'] {
  if (name === 'id') return { field: 'id', direction }
  const own = table.columns.find((one) => one.name === name)
  const built = { createdAt: createdKey(table.id), updatedAt: updatedKey(table.id) }
  const key = own?.key ?? (name === 'createdAt' || name === 'updatedAt' ? built[name] : undefined)
  if (key !== undefined) return { cell: 'cells', key, direction }
  const known = ['id', 'createdAt', 'updatedAt', ...table.columns.map((one) => one.name)].join(', ')
  const message = `Expected "sortColumn" to be one of ${known}, got ${JSON.stringify(name.slice(0, 80))}`
  throw new Refusal('Validation', message)
}

const idField: Field = {
  operators: textOperators,
  test: (op, operand, { place, ignoreCase }) =>
    test(
      { op, operand, place, ignoreCase },
      (value) => toText(value, place),
      (rest) => ({ field: 'id', ...rest }),
    ),
}

function dateField(key: string): Field {
  return {
    operators: idOperators,
    test: (op, operand, { place }) =>
      test(
        { op, operand, place },
        (value) => toTime(value, op, place),
        (rest) => ({ cell: 'cells', key, ...rest }),
      ),
  }
}

function columnField(column: DataColumn): Field {
  const { key, dataType } = column
  const operators = { string: textOperators, number: idOperators, boolean: equalities }[dataType]
  return {
    operators,
    test: (op, operand, { place, ignoreCase }) => {
      const read = (value: unknown): Scalar => {
        if (dataType === 'string') return toText(value, place)
        return castState(value, dataType) ?? refuse(place, `expected a ${dataType}`, value)
      }
      return test({ op, operand, place, ignoreCase }, read, (rest) => ({ cell: 'cells', key, ...rest }))
    },
  }
}

type Rest = { op: NonNullable<(typeof compare)[string]>; value: Scalar; ignoreCase?: boolean }

function test(
  { op, operand, place, ignoreCase }: { op: string; operand: unknown; place: string; ignoreCase?: boolean },
  read: (value: unknown) => Scalar,
  toFilter: (rest: Rest) => Filter,
): Filter {
  if (operand === null && op !== '$eq') throw wrong(place, 'null goes only with $eq, $ne, $in and $nin')
  const value = operand === null ? null : read(operand)
  const folds = ignoreCase === true && typeof value === 'string'
  return toFilter({ op: compare[op]!, value, ...(folds ? { ignoreCase: true } : {}) })
}

function refuse(place: string, expected: string, got: unknown): never {
  throw wrong(place, `${expected}, got ${String(JSON.stringify(got)).slice(0, 80)}`)
}
