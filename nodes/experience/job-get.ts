import { flag, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const jobGet = defineNode({
  type: 'job-get',
  aliases: [],
  group: 'experience',
  title: 'Job: Get',
  summary: 'Puts a job that a user asked for, or the list of all of them, on the payload.',
  outputs: ['next'],
  needs: ['jobs'],
  config: {
    findMultiple: flag({ key: 'findMultiple', label: 'Find many', help: 'The newest first, at most 100.' }),
    id: template({ key: 'jobIdTemplate', label: 'Job id', help: 'Of one; for many it is ignored.' }),
    kind: template({ key: 'kindTemplate', label: 'Kind', help: 'Of many, such as data-export; empty: all.' }),
    requestedBy: template({
      key: 'requestedByTemplate',
      label: 'Of user',
      help: 'Only their jobs are found; the user who asks when empty.',
      default: '{{experience.user.id}}',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The job or null, or a list of jobs.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The export that the page watches',
      config: { jobIdTemplate: '{{data.query.job}}', resultPath: 'working.job' },
      payload: {
        data: { query: { job: '6521f7b20c1d4e8a9b3c5d73' } },
        experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } },
      },
    },
    {
      title: 'All exports of the user',
      config: { findMultiple: true, kindTemplate: 'data-export', resultPath: 'working.jobs' },
      payload: { experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } } },
    },
  ],
  async run({ config, use }) {
    const user = config.requestedBy.trim()
    const found = config.findMultiple
      ? await use.jobs.list(user, config.kind.trim())
      : await use.jobs.get(config.id.trim(), user)
    config.result.write(found ?? null)
  },
})
