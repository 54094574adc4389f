import { FlowError } from '../../engine/errors.ts'
import { byType, choice, json, numberTemplate, path, read, template, unused } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import type { FlowValues } from '../services/run.ts'

const types = ['path', 'template', 'json', 'number', 'incr', 'decr', 'clear'] as const
type Type = (typeof types)[number]

export const valueStore = defineNode({
  type: 'value-store',
  aliases: ['StoreValueNode'],
  group: 'data',
  title: 'Storage: Set Value',
  summary: 'Stores, counts up or down, or clears a value of this flow.',
  outputs: ['next'],
  needs: ['values'],
  config: {
    key: template({
      key: 'keyName',
      label: 'Key',
      help: 'Storage belongs to the flow: all its runs and versions share it, and no other flow sees it.',
      required: true,
    }),
    type: choice({
      key: 'valueType',
      label: 'Value is',
      help: 'incr and decr count in one step, however many runs do at once; clear removes the value.',
      of: types,
    }),
    value: byType({
      key: 'value',
      label: 'Value',
      help: 'At most 16 KB as JSON.',
      typeKey: 'valueType',
      kinds: {
        path: read(),
        template: template(),
        json: json({ required: true }),
        number: numberTemplate({ label: 'Value', required: true }),
        incr: numberTemplate({ label: 'Value', required: true }),
        decr: numberTemplate({ label: 'Value', required: true }),
        clear: unused(),
      },
    }),
    olderValue: read({
      key: 'valuePath',
      label: 'Value (older name)',
      help: 'Where the value is found, in files that have the type path and no value.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The value as it is now stored; for clear the one that was removed.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Count a visit',
      config: { keyName: 'visits', valueType: 'incr', value: '1', resultPath: 'working.visits' },
      payload: { data: 1 },
      output: 'next',
      result: { data: 1, working: { visits: 1 } },
    },
  ],
  async run({ config, use }) {
    const value = config.type === 'path' ? (config.value ?? config.olderValue) : config.value
    config.result.write(copyBounded(await change(use.values, { type: config.type, key: config.key, value })))
  },
})

async function change(values: FlowValues, { type, key, value }: { type: Type; key: string; value: unknown }) {
  if (type === 'clear') return values.remove(key)
  if (type === 'incr') return values.add(key, finite(value))
  if (type === 'decr') return values.add(key, -finite(value))
  await values.set(key, type === 'number' ? finite(value) : value)
  return value
}

function finite(value: unknown): number {
  if (Number.isFinite(value)) return value as number
  throw new FlowError('value.not-finite', `Expected "Value" to be a finite number, got ${value}. Check its template.`)
}
