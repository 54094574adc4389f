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
    source: template({
      key: 'sourceData',
      label: 'Text',
      help: 'A value that is missing is an empty text.',
      required: true,
      mayBeEmpty: true,
    }),
    method: choice({
      key: 'method',
      label: 'Do',
      help: 'Texts to look for are taken as they stand, never as patterns.',
      of: Object.keys(stringMethods) as StringMethod[],
    }),
    arguments: texts({
      key: 'methodArgs',
      label: 'Arguments',
      help: 'In order: what to find and its replacement, a separator, more texts, a search and its start, or a length (0 to 1000 to pad) and a fill or ellipsis.',
      most: 100,
    }),
    result: path({ key: 'resultPath', label: 'Result', help: 'Where the result is put.', writes: true }),
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
