import { createHash, createHmac } from 'node:crypto'
import { FlowError } from '../../engine/errors.ts'
import { optional, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { bytesOf, encodingOf } from './encodings.ts'

/** By the published names, without dashes and in capitals. */
const algorithms = new Map([
  ['MD5', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA512', 'sha512'],
  ['RIPEMD', 'ripemd160'],
  ['RIPEMD160', 'ripemd160'],
  ['WHIRLPOOL', 'whirlpool'],
])

export const hash = defineNode({
  type: 'hash',
  aliases: ['HashNode'],
  group: 'logic',
  title: 'Hash',
  summary: 'Makes a digest of a text, with a secret an HMAC.',
  outputs: ['next'],
  needs: [],
  config: {
    data: template({
      key: 'dataTemplate',
      label: 'Data',
      help: 'What the digest is made of, at most 5 MB; empty text counts, too.',
    }),
    dataEncoding: template({
      key: 'dataEncodingTemplate',
      label: 'Encoding of the data',
      help: 'How the data is written: utf8, hex, base64, base64url, latin1, ascii or utf16le.',
      default: 'utf8',
    }),
    algorithm: template({
      key: 'algorithmTemplate',
      label: 'Algorithm',
      help: 'MD5, SHA1, SHA256, SHA512, RIPEMD or Whirlpool.',
      default: 'SHA256',
    }),
    secret: optional(template({ key: 'secretTemplate', label: 'Secret', help: 'Set: an HMAC.' }), {
      blankIsAbsent: true,
    }),
    secretEncoding: template({
      key: 'secretEncodingTemplate',
      label: 'Encoding of the secret',
      help: 'How the secret is written, as for the data.',
      default: 'utf8',
    }),
    encoding: template({
      key: 'encodingTemplate',
      label: 'Encoding of the digest',
      help: 'How the digest is written: hex, base64, base64url or latin1.',
      default: 'hex',
    }),
    destination: path({
      key: 'destinationPath',
      label: 'Digest',
      help: 'Where the digest is put, as text.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'A signature of a request',
      config: {
        dataTemplate: '{{data.body}}',
        secretTemplate: '{{globals.key}}',
        encodingTemplate: 'base64',
        destinationPath: 'working.signature',
      },
      payload: { data: { body: 'hello' }, globals: { key: 'secret' } },
      output: 'next',
      result: {
        ...{ data: { body: 'hello' }, globals: { key: 'secret' } },
        working: { signature: 'iKqz7ejTrflNJquQ07r9SiCDBww7zOnAFO4EpEOEfAs=' },
      },
    },
  ],
  async run({ config }) {
    const digest = await digestOf({
      algorithm: algorithmOf(config.algorithm),
      data: bytesOf(config.data, config.dataEncoding),
      secret: config.secret === undefined ? undefined : secretOf(config.secret, config.secretEncoding),
    })
    config.destination.write(digest.toString(encodingOf(config.encoding, 'hex')))
  },
})

// What was to be an HMAC must not become a digest that anyone can make.
function secretOf(text: string, encoding: string): Buffer {
  if (text !== '') return bytesOf(text, encoding)
  throw new FlowError('config.empty', 'Expected "Secret" to render to some text, got nothing. Check its template.')
}

function algorithmOf(text: string): string {
  const found = algorithms.get(text.trim().toUpperCase().replaceAll('-', ''))
  if (found !== undefined) return found
  throw new FlowError(
    'crypto.argument',
    `Expected "Algorithm" to be MD5, SHA1, SHA256, SHA512, RIPEMD or Whirlpool, got "${text.slice(0, 50)}"`,
  )
}

interface Digested {
  algorithm: string
  data: Buffer
  secret: Buffer | undefined
}

async function digestOf({ algorithm, data, secret }: Digested): Promise<Buffer> {
  if (algorithm === 'whirlpool') return await whirlpoolOf(data, secret)
  return (secret === undefined ? createHash(algorithm) : createHmac(algorithm, secret)).update(data).digest()
}

// OpenSSL has put it among what it no longer loads. Hardly anyone asks for it: it is loaded only then.
async function whirlpoolOf(data: Buffer, secret: Buffer | undefined): Promise<Buffer> {
  const { createHMAC, createWhirlpool } = await import('hash-wasm')
  const hasher = secret === undefined ? await createWhirlpool() : await createHMAC(createWhirlpool(), secret)
  return Buffer.from(hasher.init().update(data).digest('binary'))
}
