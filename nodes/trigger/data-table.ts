import { flag } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is the id of a table. */
export const dataTable = defineTrigger({
  type: 'data-table',
  aliases: ['dataTable'],
  title: 'Data table',
  summary: 'Starts a run when rows of a table are made, changed or removed.',
  classes: ['cloud'],
  config: {
    insert: flag({
      key: 'insert',
      label: 'A row is inserted',
      help: 'Starts a run for each row that is added by itself.',
    }),
    bulkInsert: flag({ key: 'bulkInsert', label: 'Many rows are inserted', help: 'One run for all of them.' }),
    update: flag({ key: 'update', label: 'A row is changed', help: 'Starts a run for each row that is changed.' }),
    delete: flag({ key: 'delete', label: 'Rows are removed', help: 'One run for each.' }),
  },
})
