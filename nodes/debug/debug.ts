import { FlowError } from '../../engine/errors.ts'
import { choice, lazy, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const debug = defineNode({
  type: 'debug',
  aliases: ['DebugNode'],
  group: 'debug',
  title: 'Debug',
  summary: 'Records the payload, or one value of it, as it is now.',
  outputs: ['next'],
  needs: ['debug'],
  config: {
    message: lazy(template({ key: 'message', label: 'Message', help: 'Stands before the value.' })),
    property: path({ key: 'property', label: 'Value', help: 'Empty: the whole payload.' }),
    level: choice({
      key: 'level',
      label: 'Level',
      help: 'How much it matters.',
      of: ['verbose', 'info', 'warn', 'error'],
    }),
  },
  examples: [
    {
      title: 'One value',
      config: { message: 'Temperature of {{data.device}}', property: 'data.temperature', level: 'info' },
      payload: { data: { device: 'pump', temperature: 21 } },
      output: 'next',
      result: { data: { device: 'pump', temperature: 21 } },
    },
  ],
  run({ config, payload, use, node }) {
    const { level, property } = config
    const about = property.given ? { value: property.read(), path: property.text } : { value: payload }
    use.debug.write({ node, level, message: messageOf(config.message), ...about })
  },
})

// A debug node never fails a run: a message that cannot be rendered says so in its place.
function messageOf(message: () => string): string {
  try {
    return message()
  } catch (error) {
    if (error instanceof FlowError) return error.message
    throw error
  }
}
