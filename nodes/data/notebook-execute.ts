import { path } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const notebookExecute = defineNode({
  type: 'notebook-execute',
  aliases: ['NotebookExecuteNode'],
  group: 'data',
  title: 'Notebook: Execute',
  summary: 'Puts an error on the payload: there are no notebooks here, and flows that ask for one go on.',
  outputs: ['next'],
  needs: [],
  config: {
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ error }: notebooks cannot be executed here.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'What the flow finds',
      config: { resultPath: 'working.execution' },
      payload: {},
      output: 'next',
      result: {
        working: { execution: { error: { type: 'NotSupported', message: 'Notebooks cannot be executed here' } } },
      },
    },
  ],
  run({ config }) {
    config.result.write({ error: { type: 'NotSupported', message: 'Notebooks cannot be executed here' } })
  },
})
