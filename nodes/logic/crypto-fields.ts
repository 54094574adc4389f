import { constants, getHashes, type KeyObject, type SignKeyObjectInput } from 'node:crypto'
import { byType, choiceTemplate, path, read, template } from '../../engine/fields.ts'
import { KeyError } from './pem.ts'

/** The settings that signing and verifying share. */
export const cryptoFields = {
  credential: template({
    key: 'credentialNameTemplate',
    label: 'Credential',
    help: 'No credentials are stored here: a name fails. Leave it empty and give the key.',
  }),
  key: byType({
    key: 'keyTemplate',
    label: 'Key',
    help: 'In PEM format.',
    typeKey: 'keyTemplateType',
    default: 'stringTemplate',
    kinds: { stringTemplate: template(), payloadPath: read() },
  }),
  data: template({ key: 'dataTemplate', label: 'Data', help: 'What is signed; empty text counts, too.' }),
  dataEncoding: template({
    key: 'dataEncodingTemplate',
    label: 'Encoding of the data',
    help: 'How the data is written: utf8, hex, base64, base64url, latin1, ascii or utf16le.',
    default: 'utf8',
  }),
  algorithm: template({
    key: 'algorithmTemplate',
    label: 'Digest',
    help: 'Such as SHA256 or RSA-SHA512. Ed25519 and Ed448 keys bring their own.',
    default: 'SHA256',
  }),
  padding: choiceTemplate({
    key: 'paddingTemplate',
    label: 'Padding',
    help: 'Of RSA keys.',
    of: ['RSA_PKCS1_PADDING', 'RSA_PKCS1_PSS_PADDING'],
  }),
  dsaEncoding: choiceTemplate({
    key: 'dsaEncodingTemplate',
    label: 'Form of the signature',
    help: 'Of EC and DSA keys.',
    of: ['der', 'ieee-p1363'],
  }),
  signatureEncoding: template({
    key: 'signatureEncodingTemplate',
    label: 'Encoding of the signature',
    help: 'How the signature is written: base64, base64url, hex or latin1.',
    default: 'base64',
  }),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: 'Signing: { signature }. Either way { error: { message } } when the key, digest or padding will not do.',
    writes: true,
  }),
}

const digests = new Map(getHashes().map((name) => [name.toUpperCase(), name]))

/** The digest that a setting names, such as SHA256 or RSA-SHA256; none for keys that bring their own. Throws KeyError. */
export function digestFor(key: KeyObject, algorithm: string): string | null {
  if (key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448') return null
  const found = digests.get(algorithm.trim().toUpperCase())
  if (found !== undefined) return found
  throw new KeyError(`Expected a digest such as SHA256 or RSA-SHA512, got "${algorithm.slice(0, 50)}"`)
}

/** The key with what belongs to its kind. */
export function keyInput(
  key: KeyObject,
  {
    padding,
    dsaEncoding,
  }: { padding: 'RSA_PKCS1_PADDING' | 'RSA_PKCS1_PSS_PADDING'; dsaEncoding: 'der' | 'ieee-p1363' },
): SignKeyObjectInput {
  if (key.asymmetricKeyType === 'rsa') return { key, padding: constants[padding] }
  return { key, dsaEncoding }
}

/** What the author is told: our own words, and none of OpenSSL's, which may tell of a key. */
export function cryptoFailure(error: unknown, what: string): { error: { message: string } } {
  return {
    error: {
      message: error instanceof KeyError ? error.message : `Expected a key, digest and padding to ${what} with`,
    },
  }
}
