import { FlowError } from '../../engine/errors.ts'
import { flag, numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { encodingOf } from '../logic/encodings.ts'
import { orError } from '../refusal.ts'
import { Refusal } from '../services/listing.ts'

export const fileGet = defineNode({
  type: 'file-get',
  aliases: ['FileGetNode'],
  group: 'data',
  title: 'File: Get',
  summary: 'Puts the contents of a file of the application, or a link to it, on the payload.',
  outputs: ['next'],
  needs: ['files'],
  config: {
    path: template({
      key: 'filePathTemplate',
      label: 'Path',
      help: 'With its directories, such as /reports/today.csv.',
      required: true,
    }),
    private: flag({
      key: 'private',
      label: 'Private',
      help: 'Looks among the private files; off: among the public ones.',
    }),
    link: flag({
      key: 'isDownloadURL',
      label: 'A link instead of the contents',
      help: 'A private file has a signed one.',
    }),
    encoding: template({
      key: 'encodingTemplate',
      label: 'Encoding of the contents',
      help: 'How the contents are given: utf8, base64, hex and others; utf8 when empty.',
      default: 'utf8',
    }),
    ttl: numberTemplate({ key: 'urlTTLTemplate', label: 'Life of the link in seconds', help: 'Of a private file.' }),
    result: path({
      key: 'destination',
      label: 'Result',
      help: '{ value, metadata }, or { error: { type, message } }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A list of prices',
      config: { filePathTemplate: '/prices.json', destination: 'working.prices' },
      payload: {},
    },
  ],
  async run({ config, use }) {
    const criteria = { path: config.path.trim(), private: config.private }
    const find = async () => {
      if (config.link) {
        const metadata = await use.files.get(criteria, { urlTtlSeconds: config.ttl })
        if (metadata !== undefined) return { value: metadata.url, metadata }
      } else {
        const encoding = encodingFrom(config.encoding)
        const found = await use.files.read(criteria)
        if (found !== undefined) {
          return { value: Buffer.from(found.content).toString(encoding), metadata: found.file }
        }
      }
      throw new Refusal('NotFound', 'File was not found')
    }
    config.result.write(await orError(find))
  },
})

/** Throws Refusal for a word that is none. */
function encodingFrom(text: string): BufferEncoding {
  try {
    return encodingOf(text, 'utf8')
  } catch (error) {
    if (error instanceof FlowError) throw new Refusal('Validation', error.message, { cause: error })
    throw error
  }
}
