import { FlowError } from '../../engine/errors.ts'
import { template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const throwError = defineNode({
  type: 'throw-error',
  aliases: ['ThrowErrorNode'],
  group: 'debug',
  title: 'Throw Error',
  summary: 'Fails the run with a message of its own.',
  outputs: [],
  needs: [],
  config: {
    message: template({
      key: 'messageTemplate',
      label: 'Message',
      help: 'What flow-error triggers find in data.errorInfo.error.message.',
      required: true,
    }),
  },
  examples: [
    {
      title: 'With the name of the device',
      config: { messageTemplate: 'No recipe for {{data.device}}' },
      payload: { data: { device: 'pump' } },
      error: 'error.thrown',
    },
  ],
  run({ config }) {
    throw new FlowError('error.thrown', config.message, { name: 'ThrowErrorNodeError' })
  },
})
