import { path, text } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { customInputs } from './custom-node-inputs.ts'

export const customNode = defineNode({
  type: 'custom-node',
  aliases: ['CustomNodeExecuteNode'],
  group: 'logic',
  title: 'Custom Node',
  summary: 'Runs a custom node of this application and puts its result on the payload.',
  // One that ends at no output of its own takes the first.
  outputs: ['first', 'second'],
  needs: ['customNodes', 'debug'],
  config: {
    id: text({ key: 'customNodeId', label: 'Custom node', help: 'Id of the flow that is the custom node.' }),
    version: text({
      key: 'customNodeVersion',
      label: 'Version',
      help: 'default, develop or a name.',
      default: 'default',
    }),
    inputs: customInputs({
      key: 'fields',
      label: 'Inputs',
      help: 'A value for each input that the custom node has; one that is left out has its default.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'Where the result is put, also when there is none. Empty: it is dropped.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The default version',
      config: { customNodeId: '5f7f96d80c1d4e8a9b3c5d70', customNodeVersion: 'default', resultPath: 'working.sum' },
      payload: { data: { a: 1 } },
    },
  ],
  async run(context) {
    const { config, payload, use, node } = context
    const { id, version } = config
    const placed = use.customNodes.find({ id, version: version.trim() || 'default', node })
    // A copy: what the custom node does to its inputs is not seen here.
    const data = copyBounded(config.inputs(placed.fields))
    const start = placed.start({ data, time: payload.time })
    const { plan, entry, services } = placed
    const end = await context.call({ id, plan, entry, services, payload: start })
    if (end !== undefined) {
      config.result.write(end.value)
      return end.output
    }
    const message = 'The custom node came to no end of its own: this branch goes no further'
    use.debug.write({ node, level: 'warn', message })
    return undefined
  },
})
