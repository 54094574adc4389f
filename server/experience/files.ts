import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError } from '../errors.ts'
import type { Happened } from '../resources/happenings.ts'
import type { FileDocument } from '../store/documents/experience.ts'
import type { AppStore } from '../store/port.ts'
import { sendContent } from './content.ts'
import { parseForm } from './form.ts'
import type { Hold } from './room.ts'
import { takeUpload } from './uploads.ts'
import type { FileOptions } from './view-helpers.ts'

/** Where application files are served, on every host of their application. */
export const FILES_PREFIX = '/_files/'

/** Default life of a link to a private file, in seconds. */
const DEFAULT_TTL = 900
/** A link to a private file lives at most a year. */
const MOST_TTL = 31_536_000

export interface FileLinks {
  /**
   * The URL of a file, on the host of the page that shows it. A folder gives the prefix of what is in it; a whole URL
   * stays as it is; blank stays blank. Whether the file exists is not asked. With `private` it is signed
   * for `ttlSeconds` (default 900).
   */
  fileUrl(path: string, options?: Partial<FileOptions>): string
}

/** Makes links to the files of one application. */
export function openFileLinks(app: { id: string; secret: string; now(): number }): FileLinks {
  return {
    fileUrl(path, options = {}) {
      if (path === '' || /^(https?:)?\/\//i.test(path)) return path
      const whole = path.startsWith('/') ? path : `/${path}`
      const url = `${FILES_PREFIX}${app.id}${encodePath(whole)}`
      if (!options.private) return url
      const ttl = Math.min(Math.max(options.ttlSeconds || DEFAULT_TTL, 1), MOST_TTL)
      const expires = Math.floor(app.now() / 1000 + ttl)
      return `${url}?expires=${expires}&signature=${sign(app, whole, expires)}`
    },
  }
}

/**
 * Serves a file of the application: content type, ETag, one byte range, HEAD. Public files by path alone, private ones
 * by a signed link. Pages and drawings are sandboxed: they share the origin of the experience but are content, not code.
 * A POST is an upload that a flow waits for, of which `happened` is told. Throws HttpError `file.*`.
 */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  at: {
    store: AppStore
    path: string
    query: string
    now: number
    requestId: string
    happened?: Happened
    /** For what an upload takes. */
    hold: Hold
  },
): Promise<void> {
  const { store, now } = at
  if (request.method === 'POST') return await takeUpload(request, response, at)
  const { path, seconds } = await placeOf(store, at.path, at.query, now)
  if (request.method !== 'HEAD' && request.method !== 'GET') throw unknownFile()
  const file = await store.collection('files').first({
    all: [
      { field: 'path', op: 'eq', value: path },
      { field: 'private', op: 'eq', value: seconds !== undefined },
    ],
  })
  if (!file) throw unknownFile()
  const headers = headersOf(file, seconds, at.requestId)
  await sendContent(request, response, { store, content: file, headers })
}

/** Path in the tree of files; `seconds` left of its link for a private one. */
async function placeOf(
  store: AppStore,
  path: string,
  query: string,
  now: number,
): Promise<{ path: string; seconds?: number }> {
  const prefix = `${FILES_PREFIX}${store.scope.application}/`
  if (!path.startsWith(prefix)) throw unknownFile()
  let place: string
  try {
    place = decodeURIComponent(path.slice(prefix.length - 1))
  } catch (cause) {
    throw new HttpError('request.path', 'Expected a path in UTF-8 percent-encoding', { cause })
  }
  const { expires, signature } = parseForm(query)
  if (typeof expires !== 'string' || typeof signature !== 'string') return { path: place }
  const application = await store.collection('application').get(store.scope.application)
  const seconds = Number(expires) - Math.floor(now / 1000)
  const { application: id } = store.scope
  const wanted = Buffer.from(sign({ id, secret: application?.secret ?? '' }, place, Number(expires)))
  const given = Buffer.from(signature)
  // Constant time: the length of a match would tell how much of a signature was right.
  if (!application || given.length !== wanted.length || !timingSafeEqual(given, wanted) || !(seconds > 0)) {
    throw new HttpError('file.signature', 'The link to this file has expired or was changed. Load the page again')
  }
  return { path: place, seconds }
}

const text = /^(text\/|application\/(javascript|json|xml)|image\/svg\+xml)/i
const active = /^(text\/(html|xml)|application\/xml|[\w.-]+\/[\w.-]+\+xml)/i

function headersOf(file: FileDocument, seconds: number | undefined, requestId: string): Record<string, string> {
  const type = /^[\w.+-]+\/[\w.+-]+/.test(file.contentType) ? file.contentType : 'application/octet-stream'
  const plain = text.test(type) && !/charset/i.test(type)
  const headers: Record<string, string> = {
    'content-type': plain ? `${type}; charset=utf-8` : type,
    'last-modified': new Date(file.lastUpdated).toUTCString(),
    // The URL stays when the content changes, so a copy is asked about each time; the answer is then 304.
    'cache-control': seconds === undefined ? 'public, max-age=0, must-revalidate' : `private, max-age=${seconds}`,
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  }
  if (seconds === undefined) headers['access-control-allow-origin'] = '*'
  if (active.test(type)) headers['content-security-policy'] = 'sandbox'
  return headers
}

function unknownFile(): HttpError {
  return new HttpError('file.unknown', 'There is no such file')
}

function encodePath(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/')
}

// The purpose stands in the text, so that no other use of the secret gives a valid signature, and so does the application:
// a copy of one may have the same secret.
function sign(app: { id: string; secret: string }, path: string, expires: number): string {
  return createHmac('sha256', app.secret).update(`file\n${app.id}\n${expires}\n${path}`).digest('base64url')
}
