import { newId } from '../store/id.ts'
import { type Archive, openArchive } from './archive.ts'
import { cleanupOf } from './export-cleanup.ts'
import { exportLifetimeMs } from './export-document.ts'
import type { JobContext, Jobs } from './port.ts'

/**
 * The key of the blob that this start of an export writes, its own. The clean-up stands in the line before anything is written:
 * whatever becomes of the start, its blob does not stay.
 */
export async function attemptKey(context: JobContext, jobs: Jobs, created: number): Promise<string> {
  const blobKey = `exports/${context.id}/${context.attempt}-${newId()}`
  await context.write([cleanupOf(jobs, { jobId: context.id, blobKey, dueAt: created + exportLifetimeMs })])
  return blobKey
}

/** Writes an archive into a blob as `fill` fills it, and gives what `fill` gives. The signal breaks it off. */
export async function archived<T>(
  { app, signal }: JobContext,
  { blobKey, created }: { blobKey: string; created: number },
  fill: (archive: Archive) => Promise<T>,
): Promise<[{ sizeBytes: number; sha256: string }, T]> {
  const archive = openArchive(created)
  const stop = () => archive.destroy(asError(signal.reason))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await together(app.blobs.put(blobKey, archive.bytes), fill(archive), archive)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Both results, once both have ended. What went wrong in one breaks off the other. */
async function together<A, B>(kept: Promise<A>, filled: Promise<B>, archive: Archive): Promise<[A, B]> {
  filled.catch((error: unknown) => archive.destroy(asError(error)))
  const [a, b] = await Promise.allSettled([kept, filled])
  // When the store failed, whoever filled knows only that nobody reads any more.
  if (a.status === 'rejected') throw a.reason
  if (b.status === 'rejected') throw b.reason
  return [a.value, b.value]
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(`Broken off: ${String(reason)}`)
}
