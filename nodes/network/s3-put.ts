import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { askProvider } from './provider.ts'
import { encodingOf, s3Fields, s3Object } from './s3.ts'

export const s3Put = defineNode({
  type: 's3-put',
  aliases: ['AwsS3PutNode'],
  group: 'network',
  title: 'S3: Put',
  summary: 'Writes a file to a bucket of Amazon S3.',
  outputs: ['next'],
  needs: ['http', 'clock', 'credentials'],
  config: {
    ...s3Fields,
    url: template({ key: 'fileUrlTemplate', label: 'URL', help: 'Of what is written; else the content below.' }),
    content: template({ key: 'fileContentsTemplate', label: 'Content', help: 'Text in the encoding below.' }),
    type: template({
      key: 'contentTypeTemplate',
      label: 'Content type',
      help: 'Such as text/csv. Empty: that of the URL, else none.',
    }),
    result: path({
      key: 'destination',
      label: 'Result',
      help: '{ success: true, url, etag }, or { error }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A report',
      config: {
        accessKeyIdTemplate: 'AKIAEXAMPLE',
        secretAccessKeyTemplate: '{{globals.awsSecret}}',
        regionTemplate: 'eu-central-1',
        bucketNameTemplate: 'reports',
        fileNameTemplate: '{{data.day}}.csv',
        fileContentsTemplate: '{{data.csv}}',
        contentTypeTemplate: 'text/csv',
        destination: 'working.stored',
      },
      payload: { globals: { awsSecret: 'example' }, data: { day: '2024-01-02', csv: 'a,b\n1,2\n' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const put = async () => {
      const object = await s3Object(config, use)
      const { bytes, type } = await contentOf()
      const said = config.type.trim() || type
      const headers = await object.sign({ method: 'PUT', headers: said ? { 'content-type': said } : {}, body: bytes })
      const request = { name: 'S3', http: use.http, signal, url: object.url, secrets: [object.secret] }
      const answer = await askProvider({ ...request, method: 'PUT', headers, body: bytes })
      return { success: true, url: object.url, etag: answer.headers.etag }
    }
    const contentOf = async (): Promise<{ bytes: Uint8Array; type?: string }> => {
      if (config.url.trim() === '') return { bytes: Buffer.from(config.content, encodingOf(config.encoding)) }
      const request = { name: 'The URL of the file', http: use.http, signal, secrets: [] }
      const { body, headers } = await askProvider({ ...request, method: 'GET', url: config.url.trim() })
      const type = headers['content-type']
      return { bytes: body, ...(typeof type === 'string' ? { type } : {}) }
    }
    config.result.write(await orError(put))
  },
})
