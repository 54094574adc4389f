import { choice } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

export const flowError = defineTrigger({
  type: 'flow-error',
  aliases: ['flowError'],
  title: 'Flow Error',
  summary: 'Starts a run when a run of this flow, or of the flows in its scope, fails.',
  classes: ['cloud', 'experience'],
  config: {
    scope: choice({ key: 'scope', label: 'Scope', of: ['local', 'experience', 'cloud', 'global'] }),
  },
})
