import { FlowError } from '../../engine/errors.ts'
import { choice, json, lazy, list, optional, path, read, template, value } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import type { RowCriteria } from '../services/data-tables.ts'
import { Refusal } from '../services/listing.ts'

/** The settings of every node of tables. */
export const tableFields = {
  table: template({ key: 'dataTableIdTemplate', label: 'Data table id', help: 'Of this application.', required: true }),
}

export const tableResult = path({
  key: 'resultPath',
  label: 'Result',
  help: 'The row, or what was removed; { error: { type, message } } when it is refused.',
  writes: true,
})

export const rowId = optional(
  template({ key: 'rowIdTemplate', label: 'Row id', help: 'Of one row; leave it empty to find rows by the query.' }),
  { blankIsAbsent: true },
)
export const rowQuery = lazy(
  json({ key: 'queryTemplate', label: 'Query', help: 'Such as {"price": {"$gt": 5}}; {"$or": []} is every row.' }),
)

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
    help: 'Columns that the table has not are left aside; a value that is not there leaves the column out.',
    of: {
      column: template({ key: 'columnTemplate', label: 'Column', help: 'Name of the column; empty: left out.' }),
      value: value({
        key: 'valueTemplate',
        label: 'Value',
        help: '{{path}} alone gives the value as it is; text is cast to the type of the column.',
      }),
    },
  }),
  json: lazy(
    json({
      key: 'rowJsonTemplate',
      label: 'Row as JSON',
      help: 'With jsonTemplate: an object by column; to insert, also a list of them. null clears a column.',
    }),
  ),
  fromPath: read({
    key: 'rowPayloadPath',
    label: 'Payload path',
    help: 'With payloadPath: where an object by column is found; to insert, also a list of them. null clears a column.',
  }),
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
