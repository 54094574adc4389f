import { FlowError } from '../../engine/errors.ts'
import { MOST_BYTES } from '../bounds.ts'

const encodings = [
  ...(['utf8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii', 'utf16le', 'ucs2'] as const),
] satisfies BufferEncoding[]

/** The encoding that a setting names; blank: `initial`. Throws `crypto.argument`. */
export function encodingOf(text: string, initial: BufferEncoding): BufferEncoding {
  const wanted = text.trim().toLowerCase().replace('utf-8', 'utf8')
  if (wanted === '') return initial
  const found = encodings.find((one) => one === wanted)
  if (found !== undefined) return found
  throw new FlowError(
    'crypto.argument',
    `Expected an encoding of ${encodings.join(', ')}, got "${text.slice(0, 50)}". Check its template.`,
  )
}

/** Bytes of a text in the encoding that a setting names (blank: utf8). Throws `crypto.argument`, also above 5 MB. */
export function bytesOf(text: string, encoding: string): Buffer {
  if (text.length > MOST_BYTES) {
    throw new FlowError('crypto.argument', `Expected data of at most ${MOST_BYTES} characters, got ${text.length}`)
  }
  return Buffer.from(text, encodingOf(encoding, 'utf8'))
}
