import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../../nodes/services/listing.ts'
import { HttpError } from '../errors.ts'
import { openFileUploads } from '../resources/file-uploads.ts'
import { mostFileBytes, openFiles } from '../resources/files.ts'
import { anyone, type Happened } from '../resources/happenings.ts'
import type { AppStore } from '../store/port.ts'
import { parseForm } from './form.ts'
import { type FilePart, readMultipart } from './multipart.ts'
import type { Hold } from './room.ts'

/** What stands around a file in a multipart body. */
const mostAround = 64 * 1024
const mostParts = 50
/** The body, its file as text in base64, and what that becomes, are in memory together. */
const COPIES = 4

/**
 * Takes the content of a file that a flow has said it waits for: a multipart body with a part `file`, at the address that the flow gave
 * away. Whoever has the address may send it, also a page of another origin. Nothing is read of a body that nobody waits for.
 * Answers 201 with the MD5 of the content as its ETag. Throws HttpError `file.*` and `request.*`.
 */
export async function takeUpload(
  request: IncomingMessage,
  response: ServerResponse,
  at: { store: AppStore; query: string; now: number; requestId: string; happened?: Happened; hold: Hold },
): Promise<void> {
  const { store: app, query, now, requestId, happened, hold } = at
  const { upload: token } = parseForm(query)
  const files = openFiles({ app, now: () => now, actor: anyone, happened })
  const uploads = openFileUploads({ app, now: () => now, files })
  if (typeof token !== 'string' || !(await uploads.waits(token))) {
    throw new HttpError('file.unknown', 'Nothing waits for this upload, or no longer')
  }
  response.once('close', hold.share())
  const bytes = await bodyOf(request, hold)
  hold.set(COPIES * bytes.length)
  const form = (await readMultipart(bytes, request.headers['content-type'] ?? '', { parts: mostParts })) as {
    file?: FilePart
  }
  const { file } = form
  if (typeof file?.data !== 'string') throw new HttpError('request.body', 'Expected the content in a part named "file"')
  const content = Buffer.from(file.data, 'base64')
  try {
    await uploads.finish(token, content, file.contentType)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new HttpError(error.type === 'NotFound' ? 'file.unknown' : 'request.body', error.message, { cause: error })
  }
  response.writeHead(201, {
    'content-type': 'application/json; charset=utf-8',
    etag: `"${createHash('md5').update(content).digest('hex')}"`,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'etag',
    'x-request-id': requestId,
  })
  response.end('{"success":true}')
}

async function bodyOf(request: IncomingMessage, hold: Hold): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > mostFileBytes + mostAround) {
      throw new HttpError('request.too-large', `Expected a file of at most ${mostFileBytes} bytes`)
    }
    hold.set(size)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
