import { expression } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const conditional = defineNode({
  type: 'conditional',
  aliases: ['ConditionalNode'],
  group: 'logic',
  title: 'Conditional',
  summary: 'Takes one of two ways by an expression.',
  outputs: ['false', 'true'],
  needs: [],
  config: {
    verdict: expression({
      key: 'expression',
      label: 'Expression',
      help: 'False, null, 0, an empty text and a missing value take the output "false"; everything else "true".',
      required: true,
    }),
  },
  examples: [
    {
      title: 'Is it hot?',
      config: { expression: '{{data.temperature}} > 30' },
      payload: { data: { temperature: 31 } },
      output: 'true',
    },
    {
      title: 'A missing value is false',
      config: { expression: '{{data.name}}' },
      payload: { data: {} },
      output: 'false',
    },
  ],
  run({ config }) {
    return config.verdict ? 'true' : 'false'
  },
})
