import type { KeyObject } from 'node:crypto'

/** Longer keys take longer to sign with: this is room for 8,192 bits of RSA. */
const MOST_PEM_CHARS = 8_192

/** A secret or key that cannot be used. The message never holds any of it. */
export class KeyError extends Error {}

/** Reads PEM text within bounds. `what` names it in errors. Throws KeyError. */
export function readPem(text: string, read: (pem: string) => KeyObject, what: string): KeyObject {
  if (text.length > MOST_PEM_CHARS) {
    throw new KeyError(`Expected ${what} of at most ${MOST_PEM_CHARS} characters, got ${text.length}`)
  }
  try {
    return read(text.trim())
  } catch {
    // What OpenSSL says about a key is no help to the author of a flow, and may tell of its content.
    throw new KeyError(`Expected ${what} in PEM format, without a password`)
  }
}
