import { expression, lazy, list, path } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'

export const math = defineNode({
  type: 'math',
  aliases: ['MathNode'],
  group: 'logic',
  title: 'Math',
  summary: 'Computes expressions, one after another, and stores their results.',
  outputs: ['next'],
  needs: [],
  config: {
    statements: list({
      key: 'statements',
      label: 'Statements',
      help: 'One after another: later ones see the results of those before.',
      of: {
        // Read when its turn comes: a statement sees the results of those before it.
        result: lazy(
          expression({
            key: 'expression',
            label: 'Expression',
            help: 'Such as {{data.celsius}} * 9 / 5 + 32; texts of numbers count as numbers.',
            required: true,
          }),
        ),
        place: path({
          key: 'resultPath',
          label: 'Result',
          help: 'Where the value is put; what is no finite number becomes null. Empty: it is dropped.',
          writes: true,
        }),
      },
    }),
  },
  examples: [
    {
      title: 'Celsius to Fahrenheit',
      config: { statements: [{ expression: '{{data.celsius}} * 9 / 5 + 32', resultPath: 'working.fahrenheit' }] },
      payload: { data: { celsius: '20' } },
      output: 'next',
      result: { data: { celsius: '20' }, working: { fahrenheit: 68 } },
    },
  ],
  run({ config }) {
    for (const { result, place } of config.statements) {
      const value = result()
      // JSON has no NaN and no Infinity: they are stored as they would be read back.
      place.write(typeof value === 'number' && !Number.isFinite(value) ? null : copyBounded(value))
    }
  },
})
