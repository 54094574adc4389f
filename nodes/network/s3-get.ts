import { flag, path } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import type { HttpResponse } from '../services/http.ts'
import { askProvider } from './provider.ts'
import { encodingOf, s3Fields, s3Object } from './s3.ts'

const URL_SECONDS = 3_600

export const s3Get = defineNode({
  type: 's3-get',
  aliases: ['AwsS3GetNode'],
  group: 'network',
  title: 'S3: Get',
  summary: 'Puts a file of a bucket of Amazon S3, or a URL at which it can be read, on the payload.',
  outputs: ['next'],
  needs: ['http', 'clock', 'credentials'],
  config: {
    ...s3Fields,
    urlOnly: flag({
      key: 'isDownloadURL',
      label: 'Only a URL',
      help: 'Everybody can read the file at it for an hour.',
    }),
    result: path({
      key: 'destination',
      label: 'Result',
      help: '{ value, metadata }, with the text or the URL as its value, or { error }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A link to a report',
      config: {
        accessKeyIdTemplate: 'AKIAEXAMPLE',
        secretAccessKeyTemplate: '{{globals.awsSecret}}',
        regionTemplate: 'eu-central-1',
        bucketNameTemplate: 'reports',
        fileNameTemplate: '{{data.day}}.csv',
        isDownloadURL: true,
        destination: 'working.report',
      },
      payload: { globals: { awsSecret: 'example' }, data: { day: '2024-01-02' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const get = async () => {
      const object = await s3Object(config, use)
      const method = config.urlOnly ? 'HEAD' : 'GET'
      const encoding = encodingOf(config.encoding)
      const request = { name: 'S3', http: use.http, signal, url: object.url, secrets: [object.secret] }
      const answer = await askProvider({ ...request, method, headers: await object.sign({ method }) })
      const value = config.urlOnly ? await object.signedUrl(URL_SECONDS) : Buffer.from(answer.body).toString(encoding)
      return { value, metadata: metadataOf(answer) }
    }
    config.result.write(await orError(get))
  },
})

/** What S3 tells of an object: its type, size, mark and time, and what was stored with it. */
function metadataOf({ headers }: HttpResponse): Record<string, unknown> {
  const told = { contentType: 'content-type', etag: 'etag', lastModified: 'last-modified' }
  const known = Object.entries(told).filter(([, name]) => headers[name] !== undefined)
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
  return {
    ...Object.fromEntries(known.map(([key, name]) => [key, headers[name]])),
    ...(headers['content-length'] === undefined ? {} : { contentLength: Number(headers['content-length']) }),
    ...Object.fromEntries(own.map(([name, value]) => [name.slice('x-amz-meta-'.length), value])),
  }
}
