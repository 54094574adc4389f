import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { givenRow, rowFields, tableFields, tableResult } from './data-table-fields.ts'

export const dataTableInsert = defineNode({
  type: 'data-table-insert',
  aliases: ['DataTableInsertRowNode'],
  group: 'data',
  title: 'Table: Insert Row',
  summary: 'Adds one row to a table, or all rows of a list.',
  outputs: ['next'],
  needs: ['dataTables'],
  config: { ...tableFields, ...rowFields, result: tableResult },
  examples: [
    {
      title: 'A spare part',
      config: {
        dataTableIdTemplate: '6521f7b20c1d4e8a9b3c5d81',
        dataMethod: 'individualFields',
        rowFields: [
          { columnTemplate: 'name', valueTemplate: '{{data.body.name}}' },
          { columnTemplate: 'price', valueTemplate: '{{data.body.price}}' },
        ],
        resultPath: 'working.part',
      },
      payload: { data: { body: { name: 'Filter', price: '12.5' } } },
    },
  ],
  async run({ config, use }) {
    const insert = async () => {
      const given = givenRow(config)
      if (!Array.isArray(given)) return use.dataTables.insert(config.table, given)
      const { count, items } = await use.dataTables.insertMany(config.table, given)
      return { count, items }
    }
    config.result.write(await orError<unknown>(insert))
  },
})
