import { FlowError } from '../../engine/errors.ts'
import { checkTextLength } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { base64Destination, base64Fields, base64Source } from './base64-fields.ts'

export const base64Decode = defineNode({
  type: 'base64-decode',
  aliases: ['Base64DecodeNode'],
  group: 'logic',
  title: 'Base64: Decode',
  summary: 'Reads a text from base64.',
  outputs: ['next'],
  needs: [],
  config: base64Fields,
  examples: [
    {
      title: 'A text',
      config: { source: 'data', destination: 'working.text' },
      payload: { data: 'Z3LDvMOfZQ==' },
      output: 'next',
      result: { data: 'Z3LDvMOfZQ==', working: { text: 'grüße' } },
    },
  ],
  run({ config }) {
    const text = base64Source(config)
    checkTextLength(text.length)
    // Also the letters of addresses; line breaks are how mails carry it.
    if (!/^[\w+/\s-]*(=[=\s]*)?$/.test(text)) {
      throw new FlowError(
        'encoding.source',
        'Expected base64, got a text with other characters. Check the path "Text".',
      )
    }
    base64Destination(config).write(Buffer.from(text, 'base64').toString('utf8'))
  },
})
