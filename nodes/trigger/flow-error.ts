import { choice } from '../../engine/fields.ts'
import { defineTrigger } from '../../engine/trigger.ts'

export const flowError = defineTrigger({
  type: 'flow-error',
  aliases: ['flowError'],
  title: 'Flow Error',
  summary: 'Starts a run when a run of this flow, or of the flows in its scope, fails.',
  classes: ['cloud', 'experience'],
  config: {
    scope: choice({
      key: 'scope',
      label: 'Scope',
      help: 'local: of this flow. experience, cloud: of flows of that class. global: of all.',
      of: ['local', 'experience', 'cloud', 'global'],
    }),
  },
})
