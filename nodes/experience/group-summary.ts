import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const groupSummary = defineNode({
  type: 'group-summary',
  aliases: ['ExperienceGroupSummaryNode'],
  group: 'experience',
  title: 'Group: Summary',
  summary: 'Puts the tree of groups on the payload, whole or below one group.',
  outputs: ['next'],
  needs: ['groups'],
  config: {
    start: template({ key: 'idTemplate', label: 'Group to start from', help: 'Empty: all groups.' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ id, name, children }; children are the same again, by name.',
      required: true,
      writes: true,
    }),
  },
  examples: [{ title: 'All groups', config: { resultPath: 'working.tree' }, payload: {} }],
  async run({ config, use }) {
    const start = config.start.trim()
    config.result.write((await use.groups.summary(start === '' ? undefined : start)) ?? null)
  },
})
