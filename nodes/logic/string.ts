import { choice, path, template, texts } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { type StringMethod, stringMethods } from './string-methods.ts'

export const string = defineNode({
  type: 'string',
  aliases: ['StringNode'],
  group: 'logic',
  title: 'String',
  summary: 'Makes a new value from a text: parts, other letters, a number.',
  outputs: ['next'],
  needs: [],
  config: {
    // A missing value is an empty text: a form field that was left out is no failure.
    source: template({ key: 'sourceData', label: 'Text', required: true, mayBeEmpty: true }),
    method: choice({ key: 'method', label: 'Do', of: Object.keys(stringMethods) as StringMethod[] }),
    arguments: texts({ key: 'methodArgs', label: 'Arguments', most: 100 }),
    result: path({ key: 'resultPath', label: 'Result', writes: true }),
  },
  examples: [
    {
      title: 'Split a list',
      config: { sourceData: '{{data.names}}', method: 'split', methodArgs: [','], resultPath: 'working.names' },
      payload: { data: { names: 'Ada,Grace' } },
      output: 'next',
      result: { data: { names: 'Ada,Grace' }, working: { names: ['Ada', 'Grace'] } },
    },
  ],
  run({ config }) {
    config.result.write(stringMethods[config.method](config.source, config.arguments))
  },
})
