import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError } from '../errors.ts'
import { EXPORTS_PREFIX, type ExportInput, type ExportOutput, exportKind, mayHave } from '../jobs/export-document.ts'
import { isSigned } from '../jobs/export-link.ts'
import { isResourceExport, type ResourceExportOutput } from '../jobs/resource-export-document.ts'
import { isId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { openTenancy } from '../tenancy/rule.ts'
import { sendContent } from './content.ts'
import type { Definitions } from './definitions.ts'
import { parseForm } from './form.ts'
import { type Answer, type AnswerContext, toAnswer } from './reply.ts'
import type { Session } from './session.ts'

export interface DownloadRequest {
  store: AppStore
  /** As sent. */
  path: string
  session: Session | undefined
  definitions: Pick<Definitions, 'unauthorized' | 'notFound'>
  context: AnswerContext
  /** Milliseconds since the epoch. */
  now: number
  /** What every answer carries. */
  headers: Record<string, string>
}

/**
 * Answers a request for the file of an export. What a flow asked for is for whoever has its signed link, until that expires. The
 * archive of a data export is for the user alone who asked for it, as long as it has not expired, his session is valid, and, for a
 * group, he is still a member of it or of one above; devices that were taken from him since stay in it. Everyone else is told the same as for an id that does not exist; who is not logged in gets the unauthorized reply of the
 * endpoint with this route, else of the version. Undefined: the answer is written. Throws HttpError and FlowError, as replies do.
 */
export async function answerDownload(
  request: IncomingMessage,
  response: ServerResponse,
  { store, path, session, definitions, context, now, headers }: DownloadRequest,
): Promise<Answer | undefined> {
  const link = await linkedExport(request, { store, path, now })
  if (link !== undefined) {
    await sendExport(request, response, { store, output: link, contentType: link.contentType, headers })
    return undefined
  }
  if (!session) {
    if (definitions.unauthorized) return toAnswer(definitions.unauthorized(context.view, 401), context)
    throw new HttpError('endpoint.unauthorized', 'Log in first: an export is for the user who asked for it', {
      headers: { 'www-authenticate': 'Bearer' },
    })
  }
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const output = reads ? await exportOf(store, path.slice(EXPORTS_PREFIX.length), session.user.id) : undefined
  if (output === undefined) {
    if (definitions.notFound) return toAnswer(definitions.notFound(context.view, 404), context)
    throw new HttpError('export.unknown', 'There is no such export')
  }
  if (output.expiresAt <= now) return toAnswer({ ...expired, headers: [], cookies: [] }, context)
  await sendExport(request, response, { store, output, contentType: 'application/zip', headers })
  return undefined
}

async function sendExport(
  request: IncomingMessage,
  response: ServerResponse,
  given: {
    store: AppStore
    output: Pick<ExportOutput, 'blobKey' | 'sizeBytes' | 'sha256' | 'fileName'>
    contentType: string
    headers: Record<string, string>
  },
): Promise<void> {
  const { store, contentType } = given
  const { blobKey: blob, sizeBytes, sha256, fileName } = given.output
  await sendContent(request, response, {
    store,
    content: { blob, sizeBytes, sha256 },
    headers: {
      ...given.headers,
      'content-type': contentType,
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

/** What a link that is signed and has not expired leads to: an export that a flow asked for, which belongs to no user. */
async function linkedExport(
  { method, url = '' }: IncomingMessage,
  { store, path, now }: Pick<DownloadRequest, 'store' | 'path' | 'now'>,
): Promise<ResourceExportOutput | undefined> {
  const { expires, signature } = parseForm(/\?([^#]*)/.exec(url)?.[1] ?? '')
  const id = path.slice(EXPORTS_PREFIX.length)
  if ((method !== 'GET' && method !== 'HEAD') || typeof expires !== 'string' || typeof signature !== 'string') {
    return undefined
  }
  if (!isId(id) || !(await isSigned(store, id, { expires, signature, now }))) return undefined
  const job = await store.collection('jobs').get(id)
  if (job?.kind !== exportKind || job.status !== 'done' || !isResourceExport(job.input)) return undefined
  return job.output as ResourceExportOutput
}

async function exportOf(store: AppStore, id: string, userId: string): Promise<ExportOutput | undefined> {
  const job = isId(id) ? await store.collection('jobs').get(id) : undefined
  if (job?.kind !== exportKind || job.status !== 'done') return undefined
  const { type, id: owner } = job.requestedBy
  if (type !== 'experienceUser' || owner !== userId) return undefined
  const { subject } = job.input as ExportInput
  return (await mayHave(openTenancy(store), userId, subject)) ? (job.output as ExportOutput) : undefined
}

const expired = {
  status: 410,
  body: {
    kind: 'custom' as const,
    body: '<!doctype html><html lang="en"><meta charset="utf-8"><title>Export expired</title><h1>This export has expired</h1><p>Archives can be downloaded for 24 hours. Start the export again to get a new one.</p></html>',
  },
}
