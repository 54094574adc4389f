import { FlowError } from '../../engine/errors.ts'
import { byType, choice, json, lazy, list, path, value } from '../../engine/fields.ts'
import type { VisitPlace } from '../../engine/node.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import type { DebugLog } from '../services/run.ts'

const MOST_RULES = 100

export const mutate = defineNode({
  type: 'mutate',
  aliases: ['MutateNode'],
  group: 'logic',
  title: 'Mutate',
  summary: 'Sets, copies, moves and removes values of the payload, one rule after another.',
  outputs: ['next'],
  needs: ['debug'],
  config: {
    rules: list({
      key: 'rules',
      label: 'Rules',
      help: 'One after another: later ones see what those before did.',
      most: MOST_RULES,
      of: {
        type: choice({
          key: 'type',
          label: 'Do',
          help: 'Set a value, copy or move one, or remove it.',
          of: ['set', 'copy', 'move', 'remove'],
        }),
        // Read when its turn comes: a rule sees what those before it wrote.
        value: lazy(
          byType({
            key: 'valueTemplate',
            label: 'Value',
            help: 'A template of text, or with "json" of JSON; {{path}} alone gives the value as it is. What is no JSON sets nothing, with a warning.',
            typeKey: 'valueTemplateType',
            default: 'string',
            kinds: { string: value(), json: json() },
          }),
        ),
        source: path({ key: 'source', label: 'From', help: 'What is copied, moved or removed.' }),
        destination: path({ key: 'destination', label: 'To', help: 'Where the value is put.', writes: true }),
      },
    }),
  },
  examples: [
    {
      title: 'Set a text and a number, and move a value',
      config: {
        rules: [
          { type: 'set', valueTemplate: 'Hello {{data.name}}', destination: 'working.greeting' },
          { type: 'set', valueTemplate: '3', valueTemplateType: 'json', destination: 'working.count' },
          { type: 'move', source: 'data.name', destination: 'working.name' },
        ],
      },
      payload: { data: { name: 'Ada' } },
      output: 'next',
      result: { data: {}, working: { greeting: 'Hello Ada', count: 3, name: 'Ada' } },
    },
  ],
  run({ config, use, node }) {
    for (const { type, source, destination, value } of config.rules) {
      if (type === 'set') destination.write(copyBounded(valueOrNothing(value, use.debug, node)))
      else if (type === 'copy') destination.write(copyBounded(source.read()))
      else if (type === 'remove') source.remove()
      else {
        // Removed before it is written: the source may lie below the destination, or be the same place.
        const moved = source.read()
        source.remove()
        destination.write(moved)
      }
    }
  },
})

// Flows rely on it: `{{jsonEncode x}}` of a missing value is no JSON, and stores undefined.
function valueOrNothing(value: () => unknown, debug: DebugLog, node: VisitPlace): unknown {
  try {
    return value()
  } catch (error) {
    if (!(error instanceof FlowError) || error.code !== 'template.not-json') throw error
    debug.write({ node, level: 'warn', message: error.message })
    return undefined
  }
}
