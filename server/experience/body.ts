import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { hasMoreKeys, MOST_JSON_KEYS, nestsDeeper } from '../../engine/json-text.ts'
import { HttpError } from '../errors.ts'
import { MOST_KEYS, parseForm } from './form.ts'
import { type PartStyle, readMultipart } from './multipart.ts'

/** Levels of nesting that a JSON body may have. */
const MOST_DEPTH = 100
/** Values that a JSON body may hold, keys and elements counted. */
const MOST_VALUES = 500_000

export interface Body {
  value: unknown
  /** What the value was parsed from, where that is JSON. */
  json?: string
}

/**
 * Reads a body of at most `limitBytes`, also once it is unpacked. JSON, forms and multipart are parsed, any other type
 * is text, no body is null. Throws HttpError `request.*`.
 */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
  onBytes: (bytes: number) => void = () => undefined,
  style: PartStyle = {},
): Promise<Body> {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return nothing
  const sent = await collect(request, limitBytes, onBytes)
  if (sent.length === 0) return nothing
  const bytes = await unpack(sent, headers['content-encoding'], limitBytes)
  const header = headers['content-type'] ?? ''
  const type = header.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'multipart/form-data') {
    return { value: await readMultipart(bytes, header, { ...style, parts: MOST_KEYS }) }
  }
  const text = toText(bytes, header)
  if (type === 'application/x-www-form-urlencoded') return { value: parseForm(text) }
  if (type !== 'application/json') return { value: text }
  const value = parseJson(text)
  return isObject(value) ? { value, json: text } : { value }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object'
}

const nothing: Body = { value: null }

function parseJson(text: string): unknown {
  if (text.trim() === '') return null
  // Before it is parsed: millions of levels would hold up every other request.
  if (nestsDeeper(text, MOST_DEPTH)) throw tooDeep()
  // A quarter of a million names in one object take a second or more in the parser, and again in each copy.
  if (hasMoreKeys(text)) {
    throw new HttpError('request.body', `Expected a JSON body of at most ${MOST_JSON_KEYS} different keys, got more`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const reason = (cause as SyntaxError).message.slice(0, 200)
    throw new HttpError('request.body', `Expected a JSON body, got text that cannot be parsed: ${reason}`, { cause })
  }
  if (mayBreakRules(text)) checkJson(value)
  return value
}

function tooDeep(): HttpError {
  return new HttpError('request.body', `Expected a JSON body of at most ${MOST_DEPTH} levels, got more`)
}

// A value takes a character at least; the key may also be written with escapes.
function mayBreakRules(text: string): boolean {
  return text.length > MOST_VALUES || text.includes('__proto__') || text.includes('\\u')
}

function checkJson(root: unknown): void {
  if (!isObject(root)) return
  let level: object[] = [root]
  let values = 0
  while (level.length > 0) {
    const next: object[] = []
    for (const parent of level) {
      const children: unknown[] = Array.isArray(parent) ? parent : Object.values(parent)
      values += children.length
      if (values > MOST_VALUES) {
        throw new HttpError('request.body', `Expected a JSON body of at most ${MOST_VALUES} values, got more`)
      }
      if (Object.hasOwn(parent, '__proto__')) {
        throw new HttpError('request.body', 'Expected a JSON body without a key "__proto__". Choose another name')
      }
      for (const child of children) if (child !== null && typeof child === 'object') next.push(child)
    }
    level = next
  }
}

function collect(request: IncomingMessage, limitBytes: number, onBytes: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A little too much is read to its end, so that the client is still there to hear the answer.
    const patience = limitBytes * 2 + 1_000_000
    const message = `Expected a body of at most ${limitBytes} bytes, got more. Send less, or upload it as a file`
    const refuse = (headers?: Record<string, string>) =>
      reject(new HttpError('request.too-large', message, { headers }))
    const giveUp = () => {
      request.off('data', take)
      request.pause()
      refuse({ connection: 'close' })
    }
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size <= limitBytes) {
        try {
          onBytes(size)
        } catch (refusal) {
          request.off('data', take)
          request.pause()
          return reject(refusal)
        }
        chunks.push(chunk)
      } else if (size > patience) giveUp()
      else chunks.length = 0
    }
    if (Number(request.headers['content-length']) > patience) return giveUp()
    const aborted = (cause?: unknown) => {
      // "close" follows "end" too.
      if (request.complete && cause === undefined) return
      reject(new HttpError('request.aborted', 'Expected the whole body, got the end of the connection', { cause }))
    }
    request.on('data', take)
    request.once('end', () => {
      if (size > limitBytes) refuse()
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
    request.once('error', aborted)
    request.once('close', aborted)
  })
}

const unpackers: Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

async function unpack(bytes: Buffer, encoding: string | undefined, limitBytes: number): Promise<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase()
  if (name === 'identity' || name === '') return bytes
  if (!Object.hasOwn(unpackers, name)) {
    const got = name.slice(0, 100)
    throw new HttpError('request.encoding', `Expected a content encoding of gzip, deflate or br, got "${got}"`)
  }
  try {
    return await unpackers[name]!(bytes, { maxOutputLength: limitBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HttpError('request.too-large', `Expected a body of at most ${limitBytes} bytes once unpacked, got more`)
    }
    throw new HttpError('request.body', `Expected a body packed with ${name}, got something else`, { cause })
  }
}

function toText(bytes: Buffer, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  if (/^utf-?8$/i.test(charset)) {
    const text = bytes.toString('utf8')
    return text.startsWith('\uFEFF') ? text.slice(1) : text
  }
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch (cause) {
    const got = charset.slice(0, 100)
    throw new HttpError('request.encoding', `Expected a known charset such as utf-8, got "${got}"`, { cause })
  }
}
