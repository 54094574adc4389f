import { FlowError } from '../../engine/errors.ts'
import { choice, json, lazy, list, optional, path, read, template, value } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import type { RowCriteria } from '../services/data-tables.ts'
import { Refusal } from '../services/listing.ts'

/** The settings of every node of tables. */
export const tableFields = {
  table: template({ key: 'dataTableIdTemplate', label: 'Data table id', required: true }),
}

export const tableResult = path({ key: 'resultPath', label: 'Result', writes: true })

export const rowId = optional(template({ key: 'rowIdTemplate', label: 'Row id' }), { blankIsAbsent: true })
export const rowQuery = lazy(json({ key: 'queryTemplate', label: 'Query' }))

/** The settings by which values come into a row. */
export const rowFields = {
  method: choice({
    key: 'dataMethod',
    label: 'Data from',
    help: 'individualFields: from the columns below. jsonTemplate and payloadPath: an object by column.',
    of: ['individualFields', 'jsonTemplate', 'payloadPath'],
  }),
  fields: list({
    key: 'rowFields',
    label: 'Columns',
    of: {
      column: template({ key: 'columnTemplate', label: 'Column' }),
      value: value({ key: 'valueTemplate', label: 'Value' }),
    },
  }),
  json: lazy(json({ key: 'rowJsonTemplate', label: 'Row as JSON' })),
  fromPath: read({ key: 'rowPayloadPath', label: 'Payload path' }),
}

interface RowSettings {
  method: 'individualFields' | 'jsonTemplate' | 'payloadPath'
  fields: readonly { column: string; value: unknown }[]
  json: () => unknown
  fromPath: unknown
}

/** What the settings give: a row as an object by column, or whatever else stands there. */
export function givenRow({ method, fields, json: fromJson, fromPath }: RowSettings): unknown {
  if (method === 'jsonTemplate') return fromJson()
  if (method === 'payloadPath') return fromPath
  const cells = fields.map(({ column, value: cell }): [string, unknown] => [column.trim(), cell])
  return Object.fromEntries(cells.filter(([column, cell]) => column !== '' && cell !== undefined)) as Payload
}

/** Which rows are meant: one by id, or those of a query. Blank never means all of them: throws Refusal. */
export function criteriaOf(id: string | undefined, query: () => unknown): RowCriteria {
  if (id !== undefined) {
    if (id.trim() !== '') return { by: 'id', id: id.trim() }
    throw new FlowError('config.empty', 'Expected the id of a row, got nothing. Check the template and the payload.')
  }
  const asked = query()
  if (asked !== undefined && asked !== '') return { by: 'query', query: asked }
  throw new Refusal('Validation', 'Expected a row id or a query, got neither. Write {"$or":[]} for all rows.')
}
