import { choiceTemplate, numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { rowQuery, tableFields } from './data-table-fields.ts'

const mostRows = 1_000

export const dataTableGet = defineNode({
  type: 'data-table-get',
  aliases: ['DataTableQueryNode'],
  group: 'data',
  title: 'Table: Get Rows',
  summary: 'Puts the rows of a table that a query finds on the payload.',
  outputs: ['next'],
  needs: ['dataTables'],
  config: {
    ...tableFields,
    query: rowQuery,
    include: template({
      key: 'includeFieldsTemplate',
      label: 'Columns',
      help: 'Names with commas between them; empty: all.',
    }),
    limit: numberTemplate({ key: 'limitTemplate', label: 'Limit', help: 'At most 1000.', default: mostRows }),
    offset: numberTemplate({
      key: 'offsetTemplate',
      label: 'Offset',
      help: 'How many rows are passed over; 0 when empty.',
      default: 0,
    }),
    sortColumn: template({
      key: 'sortColumnTemplate',
      label: 'Sort by',
      help: 'A column, id, createdAt or updatedAt.',
    }),
    sortDirection: choiceTemplate({
      key: 'sortDirectionTemplate',
      label: 'Direction',
      help: 'asc or desc.',
      of: ['', 'asc', 'desc', 'ASC', 'DESC'],
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ items, count, totalCount, limit, offset, sortColumn, sortDirection, query }, or { error }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The first ten spare parts by price',
      config: {
        dataTableIdTemplate: '6521f7b20c1d4e8a9b3c5d81',
        sortColumnTemplate: 'price',
        limitTemplate: '10',
        resultPath: 'working.parts',
      },
      payload: {},
    },
  ],
  async run({ config, use }) {
    const find = () =>
      use.dataTables.rows(config.table, {
        query: config.query(),
        includeFields: namesOf(config.include),
        limit: Math.min(config.limit, mostRows),
        offset: config.offset,
        sortColumn: config.sortColumn.trim() || 'id',
        sortDirection: config.sortDirection.toLowerCase() === 'desc' ? 'desc' : 'asc',
      })
    config.result.write(await orError(find))
  },
})

/** Names with commas between them, or a list of them as JSON; what is no text names nothing. */
function namesOf(text: string): string[] {
  const names = listed(text) ?? text.split(',')
  return names.flatMap((name) => (typeof name === 'string' && name.trim() !== '' ? [name.trim()] : []))
}

function listed(text: string): unknown[] | undefined {
  if (!text.trim().startsWith('[')) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    // No list: names that begin with a bracket find no column.
    return undefined
  }
}
