import { byType, json, lazy, path, read, template, unused, wholePayload } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'

export const resourceJobExecute = defineNode({
  type: 'resource-job-execute',
  aliases: ['ResourceJobExecuteNode'],
  group: 'output',
  title: 'Resource Job: Execute',
  summary: 'Begins to run a resource job, and does not wait for it.',
  outputs: ['next'],
  needs: ['resourceJobs'],
  config: {
    job: template({
      key: 'resourceJobIdTemplate',
      label: 'Resource job',
      help: 'The job to start; the flow does not wait for its end.',
      required: true,
    }),
    context: lazy(
      byType({
        key: 'contextTemplate',
        label: 'Context',
        help: 'None: that of the job.',
        typeKey: 'contextTemplateType',
        default: 'none',
        kinds: { none: unused(), jsonTemplate: json(), payloadPath: read(), workflowPayload: wholePayload() },
      }),
    ),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ executionId }, or { error: { type, message } }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A report for every user',
      config: {
        ...{ resourceJobIdTemplate: '6521f7b20c1d4e8a9b3c5d75', contextTemplateType: 'jsonTemplate' },
        ...{ contextTemplate: '{"month":"{{data.month}}"}', resultPath: 'working.execution' },
      },
      payload: { data: { month: '2026-01' } },
    },
  ],
  async run({ config, use }) {
    const context = config.context()
    const started = orError(() => use.resourceJobs.execute({ jobId: config.job.trim(), context }))
    config.result.write(await started)
  },
})
