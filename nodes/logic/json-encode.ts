import { path, read } from '../../engine/fields.ts'
import { checkTextLength } from '../bounds.ts'
import { defineNode } from '../define.ts'

export const jsonEncode = defineNode({
  type: 'json-encode',
  aliases: ['JsonEncodeNode'],
  group: 'logic',
  title: 'JSON: Encode',
  summary: 'Turns a value into JSON text.',
  outputs: ['next'],
  needs: [],
  config: {
    source: read({ key: 'source', label: 'Value', help: 'What is encoded; dates become ISO text.', required: true }),
    destination: path({
      key: 'destination',
      label: 'Text',
      help: 'Where the text is put, at most 5 MB; nothing for a missing value.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'An object',
      config: { source: 'data', destination: 'working.text' },
      payload: { data: { on: true } },
      output: 'next',
      result: { data: { on: true }, working: { text: '{"on":true}' } },
    },
  ],
  run({ config }) {
    // A missing value has no JSON: it stays missing.
    const text: string | undefined = JSON.stringify(config.source)
    checkTextLength(text?.length ?? 0)
    config.destination.write(text)
  },
})
