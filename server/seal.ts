import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Keeps texts that only this server may read. */
export interface Sealer {
  /** `place` says where the text belongs: it can be read there only. */
  seal(text: string, place: string): string
  /** Throws SealError for what was sealed with another key, for another place, or was changed. */
  open(sealed: string, place: string): string
}

export class SealError extends Error {
  /** True when another key has sealed it. */
  readonly otherKey: boolean
  constructor(message: string, options: { otherKey: boolean; cause?: unknown }) {
    super(message, options)
    this.name = 'SealError'
    this.otherKey = options.otherKey
  }
}

const cipher = 'aes-256-gcm'
const form = 'v1'

/** Seals with AES-256-GCM, under a key made from `secretKey` for this purpose alone. */
export function openSealer(secretKey: string): Sealer {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'headgate/seal', 32))
  // Tells keys apart, and nothing of them.
  const keyId = createHmac('sha256', key).update('key id').digest('base64url').slice(0, 10)
  return {
    seal(text, place) {
      const nonce = randomBytes(12)
      const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()])
      return [form, keyId, nonce.toString('base64url'), sealed.toString('base64url')].join('.')
    },
    open(text, place) {
      const [version, id, nonce = '', body = ''] = text.split('.')
      if (version !== form) throw new SealError('Expected a text that was sealed, got another', { otherKey: false })
      if (id !== keyId) throw new SealError('The text was sealed with another key', { otherKey: true })
      const sealed = Buffer.from(body, 'base64url')
      try {
        const opening = createDecipheriv(cipher, key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
        opening.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-16))
        return Buffer.concat([opening.update(sealed.subarray(0, -16)), opening.final()]).toString('utf8')
      } catch (cause) {
        throw new SealError('The sealed text was changed, or belongs elsewhere', { otherKey: false, cause })
      }
    },
  }
}
