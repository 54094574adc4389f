import { createPrivateKey, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { cryptoFailure, cryptoFields, digestFor, keyInput } from './crypto-fields.ts'
import { bytesOf, encodingOf } from './encodings.ts'
import { readPem } from './pem.ts'

const signOf = promisify(sign)

export const cryptoSign = defineNode({
  type: 'crypto-sign',
  aliases: ['CryptoSignNode'],
  group: 'logic',
  title: 'Crypto: Sign',
  summary: 'Signs data with a private key.',
  outputs: ['next'],
  needs: ['credentials'],
  config: cryptoFields,
  examples: [
    {
      title: 'No key',
      config: { dataTemplate: '{{data}}', keyTemplate: '{{globals.key}}', resultPath: 'working.signed' },
      payload: { data: 'hello' },
      output: 'next',
      result: {
        data: 'hello',
        working: { signed: { error: { message: 'Expected a private key in PEM format, without a password' } } },
      },
    },
  ],
  async run({ config, use }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'certificateKeyPair' })
    const pem = stored?.privateKey ?? (typeof config.key === 'string' ? config.key : '')
    const data = bytesOf(config.data, config.dataEncoding)
    const encoding = encodingOf(config.signatureEncoding, 'base64')
    try {
      const key = readPem(pem, createPrivateKey, 'a private key')
      const signature = await signOf(digestFor(key, config.algorithm), data, keyInput(key, config))
      config.result.write({ signature: signature.toString(encoding) })
    } catch (error) {
      config.result.write(cryptoFailure(error, 'sign'))
    }
  },
})
