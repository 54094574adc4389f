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
    property: lazy(path({ key: 'property', label: 'Value', help: 'Empty: the whole payload.' })),
    level: lazy(
      choice({
        key: 'level',
        label: 'Level',
        help: 'How much it matters.',
        of: ['verbose', 'info', 'warn', 'error'],
      }),
    ),
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
    // A debug node never fails a run: what is wrong with its settings is said in its message.
    const wrong: string[] = []
    const property = orNote(config.property, wrong)
    const level = orNote(config.level, wrong) ?? 'verbose'
    const message = orNote(config.message, wrong)
    const about = property?.given ? { value: property.read(), path: property.text } : { value: payload }
    use.debug.write({ node, level, message: [message, ...wrong].filter(Boolean).join(' '), ...about })
  },
})

function orNote<T>(setting: () => T, wrong: string[]): T | undefined {
  try {
    return setting()
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    wrong.push(error.message)
    return undefined
  }
}
