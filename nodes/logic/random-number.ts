import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const randomNumber = defineNode({
  type: 'random-number',
  aliases: ['RandomNumberNode'],
  group: 'logic',
  title: 'Random Number',
  summary: 'Puts a random whole number on the payload, or null where no whole number lies between the ends.',
  outputs: ['next'],
  needs: [],
  config: {
    // Texts, not numbers: an end that is not a number gives null instead of an error.
    min: template({ key: 'min', label: 'Smallest', help: 'Included.', default: '0' }),
    max: template({ key: 'max', label: 'Largest', help: 'Included.', default: '100' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'Where the number is put.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Both ends count',
      config: { min: 7, max: '{{data.top}}', resultPath: 'working.number' },
      payload: { data: { top: 7 } },
      output: 'next',
      result: { data: { top: 7 }, working: { number: 7 } },
    },
  ],
  run({ config }) {
    const low = Math.ceil(toNumber(config.min))
    const high = Math.floor(toNumber(config.max))
    const some = Number.isFinite(low) && Number.isFinite(high) && low <= high
    config.result.write(some ? Math.min(high, low + Math.floor(Math.random() * (high - low + 1))) : null)
  },
})

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}
