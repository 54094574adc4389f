import { flag } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is `/` for all files, a directory with a slash at its end for all that is in or below it, else the path of a file. */
export const appFile = defineTrigger({
  type: 'app-file',
  aliases: ['appFile'],
  title: 'File',
  summary: 'Starts a run when a file of the application is written or removed.',
  classes: ['cloud'],
  config: {
    create: flag({ key: 'create', label: 'Created', help: 'Starts a run when a file is made.' }),
    update: flag({ key: 'update', label: 'Updated', help: 'Starts a run when a file is written again.' }),
    delete: flag({ key: 'delete', label: 'Deleted', help: 'Starts a run when a file is removed.' }),
    public: flag({ key: 'public', label: 'Public files', help: 'Whether public files count.', default: true }),
    private: flag({ key: 'private', label: 'Private files', help: 'Whether private files count.' }),
  },
})
