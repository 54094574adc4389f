import { FlowError } from '../../engine/errors.ts'
import { numberTemplate, read } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const customNodeEnd = defineNode({
  type: 'custom-node-end',
  aliases: ['CustomNodeCapNode'],
  group: 'logic',
  title: 'Custom Node: End',
  summary: 'Ends a custom node: gives a value back and says which output its caller takes.',
  outputs: [],
  endsCall: 'output',
  notIn: ['cloud', 'experience'],
  needs: [],
  config: {
    output: numberTemplate({
      key: 'branchIndexTemplate',
      label: 'Output of the caller',
      help: '0 or 1: which output the caller goes on at.',
      default: 0,
    }),
    result: read({
      key: 'resultSourcePath',
      label: 'Result',
      help: 'What the caller gets, seen from the payload of the custom node. Empty: nothing.',
    }),
  },
  examples: [{ title: 'With a result', config: { resultSourcePath: 'working.sum' }, payload: { working: { sum: 3 } } }],
  run(context) {
    const { output, result } = context.config
    if (output !== 0 && output !== 1) {
      throw new FlowError('custom-node.end', `Expected "Output of the caller" to be 0 or 1, got ${output}`)
    }
    context.endCall({ output, value: result })
  },
})
