import { byType, expression, json, lazy, optional, path, read, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'

export const resourceJobAcknowledge = defineNode({
  type: 'resource-job-acknowledge',
  aliases: ['ResourceJobAcknowledgeNode'],
  group: 'output',
  title: 'Resource Job: Acknowledge',
  summary: 'Says that an iteration of a resource job is over, and whether it went well.',
  outputs: ['next'],
  needs: ['resourceJobs'],
  config: {
    success: optional(lazy(expression({ key: 'successExpression', label: 'Success', help: 'Empty: true.' })), {
      blankIsAbsent: true,
    }),
    message: template({ key: 'messageTemplate', label: 'Message', help: 'At most 256 characters are kept.' }),
    iteration: read({
      key: 'iterationIdPath',
      label: 'Iteration id path',
      help: 'Which iteration is over; data.iterationId when empty.',
      default: 'data.iterationId',
    }),
    accumulator: byType({
      key: 'accumulatorValue',
      label: 'Accumulator',
      help: 'Given to the iterations after this one, where there is one at a time. Empty: it stays.',
      typeKey: 'accumulatorMethod',
      default: 'payloadPath',
      kinds: { payloadPath: read(), jsonTemplate: json(), stringTemplate: template() },
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ success, startedAt, completedAt, message, accumulator }, or { error }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'As well as the mail was sent',
      config: { successExpression: '{{working.sent}} === true', resultPath: 'working.acknowledged' },
      payload: { data: { iterationId: '6521f7b20c1d4e8a9b3c5d76' }, working: { sent: true } },
    },
  ],
  async run({ config, use }) {
    const { message, iteration, accumulator } = config
    const acknowledged = orError(() =>
      use.resourceJobs.acknowledge({
        iterationId: typeof iteration === 'string' ? iteration : '',
        success: config.success === undefined || Boolean(config.success()),
        message,
        ...(accumulator === undefined || accumulator === '' ? {} : { accumulator }),
      }),
    )
    config.result.write(await acknowledged)
  },
})
