import { choice, json, lazy, list, path } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { type ObjectOperation, objectOperations } from './object-operations.ts'

const MOST_OPERATIONS = 10

export const object = defineNode({
  type: 'object',
  aliases: ['ObjectNode'],
  group: 'logic',
  title: 'Object',
  summary: 'Merges, reduces or takes apart an object, one operation after another.',
  outputs: ['next'],
  needs: [],
  config: {
    source: path({ key: 'sourcePath', label: 'Object', help: 'A missing object is an empty one.', required: true }),
    destination: path({ key: 'destPath', label: 'Changed object', help: 'Empty: the object itself.', writes: true }),
    operations: list({
      key: 'operations',
      label: 'Operations',
      help: 'At most 10, one after another: later ones see what those before did.',
      most: MOST_OPERATIONS,
      of: {
        type: choice({
          key: 'type',
          label: 'Do',
          help: 'What is made of the object, or read from it.',
          of: Object.keys(objectOperations) as ObjectOperation[],
        }),
        // Read when its turn comes: an operation sees what those before it wrote.
        input: lazy(json({ key: 'inputTemplate', label: 'Input', help: 'JSON.' })),
        result: path({
          key: 'outputPath',
          label: 'Result',
          help: 'Where keys, values, entries and fromPairs put what they give. Empty: it is dropped.',
          writes: true,
        }),
      },
    }),
  },
  examples: [
    {
      title: 'Merge two objects',
      config: {
        sourcePath: 'data.defaults',
        destPath: 'working.settings',
        operations: [{ type: 'mergeDeep', inputTemplate: '{{data.given}}' }],
      },
      payload: { data: { defaults: { size: { x: 1, y: 1 } }, given: { size: { y: 5 } } } },
      output: 'next',
      result: {
        data: { defaults: { size: { x: 1, y: 1 } }, given: { size: { y: 5 } } },
        working: { settings: { size: { x: 1, y: 5 } } },
      },
    },
  ],
  run({ config }) {
    const { source, destination, operations } = config
    let current: unknown = source.read() ?? {}
    let changed = false
    for (const { type, input, result } of operations) {
      const step = objectOperations[type](current, input)
      if ('result' in step) result.write(copyBounded(step.result))
      else {
        current = step.object
        changed = true
      }
    }
    if (destination.given) destination.write(copyBounded(current))
    else if (changed) source.write(copyBounded(current))
  },
})
