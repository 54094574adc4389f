import { choice, flag } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { criteriaOf, givenRow, rowFields, rowId, rowQuery, tableFields, tableResult } from './data-table-fields.ts'

export const dataTableUpdate = defineNode({
  type: 'data-table-update',
  aliases: ['DataTableUpdateRowNode'],
  group: 'data',
  title: 'Table: Update Row',
  summary: 'Changes one row of a table.',
  outputs: ['next'],
  needs: ['dataTables'],
  config: {
    ...tableFields,
    ...rowFields,
    select: choice({
      key: 'rowSelectType',
      label: 'Row by',
      help: 'query: the first row that it finds.',
      of: ['id', 'query'],
    }),
    id: rowId,
    query: rowQuery,
    upsert: flag({
      key: 'upsertCheck',
      label: 'Insert it if there is none',
      help: 'Off: a row that is not there is an error.',
    }),
    result: tableResult,
  },
  examples: [
    {
      title: 'A new price',
      config: {
        dataTableIdTemplate: '6521f7b20c1d4e8a9b3c5d81',
        rowSelectType: 'query',
        queryTemplate: '{"name":"{{data.body.name}}"}',
        dataMethod: 'individualFields',
        rowFields: [{ columnTemplate: 'price', valueTemplate: '{{data.body.price}}' }],
        resultPath: 'working.part',
      },
      payload: { data: { body: { name: 'Belt', price: '9' } } },
    },
  ],
  async run({ config, use }) {
    const update = () => {
      // An id that rendered to nothing finds no row.
      const criteria =
        config.select === 'id' ? { by: 'id' as const, id: config.id ?? '' } : criteriaOf(undefined, config.query)
      return use.dataTables.update(config.table, criteria, givenRow(config), { upsert: config.upsert })
    }
    config.result.write(await orError(update))
  },
})
