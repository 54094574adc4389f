import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const jobCancel = defineNode({
  type: 'job-cancel',
  aliases: [],
  group: 'experience',
  title: 'Job: Cancel',
  summary: 'Ends a job that a user asked for before it is done.',
  outputs: ['not-canceled', 'canceled'],
  needs: ['jobs'],
  config: {
    id: template({
      key: 'jobIdTemplate',
      label: 'Job id',
      help: 'One that is over, or not of the user, is not canceled.',
    }),
    requestedBy: template({
      key: 'requestedByTemplate',
      label: 'Of user',
      help: 'Only their jobs are canceled; the user who asks when empty.',
      default: '{{experience.user.id}}',
    }),
    result: path({ key: 'resultPath', label: 'True or false', help: 'Whether it was canceled.', writes: true }),
  },
  examples: [
    {
      title: 'The user has changed his mind',
      config: { jobIdTemplate: '{{data.body.job}}' },
      payload: {
        data: { body: { job: '6521f7b20c1d4e8a9b3c5d73' } },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
  ],
  async run({ config, use }) {
    const canceled = await use.jobs.cancel(config.id.trim(), config.requestedBy.trim())
    config.result.write(canceled)
    return canceled ? 'canceled' : 'not-canceled'
  },
})
