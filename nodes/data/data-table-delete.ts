import { numberTemplate, optional } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { Refusal } from '../services/listing.ts'
import { criteriaOf, rowId, rowQuery, tableFields, tableResult } from './data-table-fields.ts'

export const dataTableDelete = defineNode({
  type: 'data-table-delete',
  aliases: ['DataTableDeleteRowNode'],
  group: 'data',
  title: 'Table: Delete Rows',
  summary: 'Removes one row of a table, or all that a query finds.',
  outputs: ['next'],
  needs: ['dataTables'],
  config: {
    ...tableFields,
    id: rowId,
    query: rowQuery,
    limit: optional(numberTemplate({ key: 'limitTemplate', label: 'Limit', help: 'Empty: all.' }), {
      blankIsAbsent: true,
    }),
    result: tableResult,
  },
  examples: [
    {
      title: 'Every row',
      config: {
        dataTableIdTemplate: '6521f7b20c1d4e8a9b3c5d81',
        queryTemplate: '{"$or":[]}',
        resultPath: 'working.removed',
      },
      payload: {},
    },
  ],
  async run({ config, use, signal }) {
    const remove = async () => {
      const { id, query, limit } = config
      const count = await use.dataTables.remove(config.table, criteriaOf(id, query), { limit, signal })
      if (id !== undefined && count === 0) {
        throw new Refusal('NotFound', `Expected the id of a row of the table, got "${id.slice(0, 80)}"`)
      }
      return { result: true, count }
    }
    config.result.write(await orError(remove))
  },
})
