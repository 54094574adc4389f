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
    source: read({ key: 'source', label: 'Value', required: true }),
    destination: path({ key: 'destination', label: 'Text', required: true, writes: true }),
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
