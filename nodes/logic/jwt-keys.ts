import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { KeyError, readPem } from './pem.ts'

/** What can sign a token, beside a key: a shared secret (HS) or a private key (the others). */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const
export const keyAlgorithms = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
]

/** The key to sign with: PEM of a private key, or any text as the secret of an HS algorithm. Throws KeyError. */
export function signingKey(text: string, algorithm: string): KeyObject {
  if (secretAlgorithms.some((one) => one === algorithm)) return secretKey(text)
  const key = readPem(text, createPrivateKey, 'a private key')
  if (algorithmsOf(key).includes(algorithm)) return key
  throw new KeyError(`Expected a private key that fits ${algorithm}, got one of another kind`)
}

/**
 * The key to verify with, and the algorithms that it may be used for. The kind of key says which: a public key must never
 * count as the secret of a token that someone else made with it. Throws KeyError.
 */
export function verifyingKey(text: string): { key: KeyObject; algorithms: string[] } {
  if (!text.includes('-----BEGIN ')) return { key: secretKey(text), algorithms: [...secretAlgorithms] }
  const key = readPem(text, createPublicKey, 'a public key or certificate')
  return { key, algorithms: algorithmsOf(key) }
}

const rsaPss = ['PS256', 'PS384', 'PS512']
const curves = new Map([
  ['prime256v1', 'ES256'],
  ['secp384r1', 'ES384'],
  ['secp521r1', 'ES512'],
])

/** What a key may be used for; nothing for kinds that tokens do not know. */
function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string[] {
  switch (asymmetricKeyType) {
    case 'rsa':
      return ['RS256', 'RS384', 'RS512', ...rsaPss]
    case 'rsa-pss':
      return rsaPss
    case 'ed25519':
      return ['EdDSA']
    case 'ec': {
      const algorithm = curves.get(asymmetricKeyDetails?.namedCurve ?? '')
      return algorithm === undefined ? [] : [algorithm]
    }
    default:
      return []
  }
}

function secretKey(text: string): KeyObject {
  if (text === '') throw new KeyError('Expected a secret, got nothing')
  return createSecretKey(text, 'utf8')
}
