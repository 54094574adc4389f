import { checkTextLength } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { base64Destination, base64Fields, base64Source } from './base64-fields.ts'

export const base64Encode = defineNode({
  type: 'base64-encode',
  aliases: ['Base64EncodeNode'],
  group: 'logic',
  title: 'Base64: Encode',
  summary: 'Turns a text into base64.',
  outputs: ['next'],
  needs: [],
  config: base64Fields,
  examples: [
    {
      title: 'A text',
      config: { source: 'data', destination: 'working.text' },
      payload: { data: 'grüße' },
      output: 'next',
      result: { data: 'grüße', working: { text: 'Z3LDvMOfZQ==' } },
    },
  ],
  run({ config }) {
    const text = base64Source(config)
    checkTextLength(Math.ceil(Buffer.byteLength(text) / 3) * 4)
    base64Destination(config).write(Buffer.from(text).toString('base64'))
  },
})
