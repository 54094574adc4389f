import { FlowError } from '../../engine/errors.ts'
import { flag, numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { bytesOf } from '../logic/encodings.ts'
import type { HttpClient } from '../services/http.ts'
import { Refusal } from '../services/listing.ts'

const TIMEOUT_MS = 30_000

export const fileCreate = defineNode({
  type: 'file-create',
  aliases: ['FileCreateNode'],
  group: 'data',
  title: 'File: Create',
  summary: 'Writes a file of the application, from text or from what a URL answers.',
  outputs: ['next'],
  needs: ['files', 'http'],
  config: {
    name: template({ key: 'fileNameTemplate', label: 'Name', help: 'Without its directory.', required: true }),
    directory: template({
      key: 'parentDirectoryTemplate',
      label: 'Directory',
      help: 'Made where it does not exist; / when empty.',
      default: '/',
    }),
    contentType: template({ key: 'contentTypeTemplate', label: 'Content type', help: 'Empty: as the name says.' }),
    contents: template({
      key: 'fileContentsTemplate',
      label: 'Contents',
      help: 'Text in the encoding below, at most 5 MB; read when there is no URL.',
    }),
    url: template({ key: 'fileUrlTemplate', label: 'URL', help: 'Its answer is the contents.' }),
    encoding: template({
      key: 'encodingTemplate',
      label: 'Encoding of the contents',
      help: 'utf8, base64, hex, ascii, latin1, binary, utf16le or ucs2; utf8 when empty.',
      default: 'utf8',
    }),
    overwrite: flag({
      key: 'shouldOverwrite',
      label: 'Overwrite a file that is there',
      help: 'Off: a file that is there already is an error.',
    }),
    private: flag({ key: 'private', label: 'Private', help: 'Private files are reached by a signed link only.' }),
    ttl: numberTemplate({ key: 'urlTTLTemplate', label: 'Life of the link in seconds', help: 'Of a private file.' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The file with its url; { error: { type: "FILE_CREATE_ERROR", message } } when it cannot be written.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A report',
      config: {
        ...{ fileNameTemplate: 'report.csv', parentDirectoryTemplate: '/reports', shouldOverwrite: true },
        ...{ fileContentsTemplate: '{{working.csv}}', resultPath: 'working.file' },
      },
      payload: { working: { csv: 'a,b' } },
    },
  ],
  async run({ config, use, signal }) {
    try {
      const content = config.url.trim() === '' ? bytesOf(config.contents, config.encoding) : await fetched()
      const { name, directory, contentType, overwrite, ttl } = config
      const written = use.files.write({
        ...{ name: name.trim(), parentDirectory: directory.trim(), contentType: contentType.trim() },
        ...{ content, overwrite, private: config.private, urlTtlSeconds: ttl },
      })
      config.result.write(await written)
    } catch (error) {
      if (!(error instanceof Refusal) && !(error instanceof FlowError)) throw error
      signal.throwIfAborted()
      config.result.write({ error: { type: 'FILE_CREATE_ERROR', message: error.message } })
    }

    async function fetched(): Promise<Uint8Array> {
      const url = config.url.trim()
      const { status, body } = await ask(use.http, url, signal)
      if (status >= 200 && status < 300) return body
      throw new Refusal('Validation', `Expected the URL to answer with 200 to 299, got ${status}`)
    }
  },
})

function ask(http: HttpClient, url: string, signal: AbortSignal) {
  const how = { timeoutMs: TIMEOUT_MS, followRedirects: true, verifyTls: true }
  return http.send({ method: 'GET', url, headers: {}, ...how, signal })
}
