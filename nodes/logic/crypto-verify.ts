import { createPublicKey, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { cryptoFailure, cryptoFields, digestFor, keyInput } from './crypto-fields.ts'
import { bytesOf } from './encodings.ts'
import { readPem } from './pem.ts'

const verifyOf = promisify(verify)

export const cryptoVerify = defineNode({
  type: 'crypto-verify',
  aliases: ['CryptoVerifyNode'],
  group: 'logic',
  title: 'Crypto: Verify',
  summary: 'Takes one of two ways by whether data was signed with the private half of a key.',
  outputs: ['invalid', 'valid'],
  needs: ['credentials'],
  config: {
    ...cryptoFields,
    signature: template({
      key: 'signatureTemplate',
      label: 'Signature',
      help: 'What was signed with the private key, in the encoding named above.',
    }),
  },
  examples: [
    {
      title: 'Signed by another',
      config: {
        dataTemplate: '{{data}}',
        signatureTemplate: 'c2lnbmF0dXJl',
        keyTemplate:
          '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----',
      },
      payload: { data: 'hello' },
      output: 'invalid',
      result: { data: 'hello' },
    },
  ],
  async run({ config, use }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'certificateKeyPair' })
    const pem = stored?.certificate ?? (typeof config.key === 'string' ? config.key : '')
    const data = bytesOf(config.data, config.dataEncoding)
    const signature = bytesOf(config.signature, config.signatureEncoding)
    try {
      const key = readPem(pem, createPublicKey, 'a public key or certificate')
      const valid = await verifyOf(digestFor(key, config.algorithm), data, keyInput(key, config), signature)
      return valid ? 'valid' : 'invalid'
    } catch (error) {
      config.result.write(cryptoFailure(error, 'verify'))
      return 'invalid'
    }
  },
})
