import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { HttpError } from '../errors.ts'
import type { AppStore } from '../store/port.ts'

/** Stored bytes: where they lie in the blobs, their size and their SHA-256 in hex. */
export interface Content {
  blob: string
  sizeBytes: number
  sha256: string
}

/**
 * Answers GET or HEAD with stored bytes: ETag, one byte range, not more read than the client takes. `headers` are sent with them.
 * Throws HttpError `file.range`.
 */
export async function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  { store, content, ...given }: { store: AppStore; content: Content; headers: Record<string, string> },
): Promise<void> {
  const etag = `"${content.sha256}"`
  const headers: Record<string, string> = { ...given.headers, etag, 'accept-ranges': 'bytes' }
  if (isFresh(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end()
    return
  }
  const range = rangeOf(request, content)
  if (range) headers['content-range'] = `bytes ${range.start}-${range.end - 1}/${content.sizeBytes}`
  headers['content-length'] = String(range ? range.end - range.start : content.sizeBytes)
  const head = request.method === 'HEAD'
  const bytes = head ? undefined : await store.blobs.read(content.blob, range)
  if (!head && !bytes) throw new Error(`The blob ${content.blob} is missing`)
  response.writeHead(range ? 206 : 200, headers)
  if (!bytes) response.end()
  else await pipeline(Readable.from(bytes, { objectMode: false }), response)
}

// Undefined: the whole content. Several ranges at once are answered with the whole, as HTTP allows.
function rangeOf(request: IncomingMessage, content: Content): { start: number; end: number } | undefined {
  const { range, 'if-range': condition } = request.headers
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (condition !== undefined && condition !== `"${content.sha256}"`) return undefined
  const size = content.sizeBytes
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size : Math.min(size, Number(match[2]) + 1)
  if (start >= size || end <= start) {
    throw new HttpError('file.range', `Expected a range within ${size} bytes, got "${range}"`, {
      headers: { 'content-range': `bytes */${size}` },
    })
  }
  return { start, end }
}

function isFresh(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()))
}
