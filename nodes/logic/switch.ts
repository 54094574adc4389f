import { list, template, text } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const switchNode = defineNode({
  type: 'switch',
  aliases: ['SwitchNode'],
  group: 'logic',
  title: 'Switch',
  summary: 'Takes the way of the first case whose text is the same.',
  outputs: ['default'],
  outputPerEntryOf: 'cases',
  needs: [],
  config: {
    // A missing value is a text like any other: it takes the default, or the case that is empty.
    subject: template({
      key: 'switchTemplate',
      label: 'Text to compare',
      help: 'Compared with the text of each case, as text.',
      required: true,
      mayBeEmpty: true,
    }),
    cases: list({
      key: 'cases',
      label: 'Cases',
      help: 'The first that is the same counts; its output is its position, from 1.',
      of: {
        text: template({ key: 'caseTemplate', label: 'Text', help: 'Has to be the same, letter by letter.' }),
        label: text({ key: 'caseLabel', label: 'Label', help: 'A name for the editor.' }),
      },
    }),
  },
  examples: [
    {
      title: 'No case fits',
      config: { switchTemplate: '{{data.kind}}', cases: [{ caseTemplate: 'pump' }, { caseTemplate: 'fan' }] },
      payload: { data: { kind: 'lamp' } },
      output: 'default',
    },
  ],
  run({ config }) {
    return config.cases.findIndex((one) => one.text === config.subject) + 1
  },
})
