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
    create: flag({ key: 'create', label: 'Created' }),
    update: flag({ key: 'update', label: 'Updated' }),
    delete: flag({ key: 'delete', label: 'Deleted' }),
    public: flag({ key: 'public', label: 'Public files', default: true }),
    private: flag({ key: 'private', label: 'Private files' }),
  },
})
