import { Refusal } from '../../nodes/services/listing.ts'
import { anyone } from '../resources/happenings.ts'
import { isoOf } from '../resources/listing.ts'
import type { Resources } from '../resources/resources.ts'
import type { ResourceExecutionDocument } from '../store/documents/jobs.ts'
import type { AppStore } from '../store/port.ts'
import { csvLines, openCsvPieces } from './csv.ts'

const header = ['iterationId', 'resourceId', 'status', 'message', 'attempts', 'startedAt', 'completedAt']
/** How long the link lives. */
const ttlSeconds = 7 * 86_400

/**
 * Writes what became of each iteration as a private file of the application, and gives a link to it. Written anew when the worker
 * that did it died. Undefined when there is no room for it.
 */
export async function writeReport(
  app: AppStore,
  { id, jobId }: ResourceExecutionDocument,
  { filesAs }: Resources,
): Promise<string | undefined> {
  const pieces: Uint8Array[] = [Buffer.from(csvLines([header]))]
  const rows = openCsvPieces()
  const mine = { field: 'executionId', op: 'eq', value: id } as const
  for await (const one of app.collection('resourceIterations').each(mine)) {
    const times = [one.startedAt, one.completedAt].map((time) => (time === undefined ? undefined : isoOf(time)))
    if (rows.add([one.id, one.resourceId, one.state, one.message, one.attempt, ...times])) pieces.push(rows.take())
  }
  if (rows.waiting() > 0) pieces.push(rows.take())
  try {
    return await filesAs(anyone).writeReport(pathOf({ id, jobId }), Buffer.concat(pieces), ttlSeconds)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Removes the report, where there is one. As it was written, without a word to flows that listen to files. */
export async function removeReport(app: AppStore, execution: ResourceExecutionDocument): Promise<void> {
  const files = app.collection('files')
  const path = { field: 'path', op: 'eq', value: pathOf(execution) } as const
  const file = await files.first({ all: [path, { field: 'private', op: 'eq', value: true }] })
  if (file !== undefined && (await files.remove(file.id))) await app.blobs.remove(file.blob)
}

function pathOf({ id, jobId }: Pick<ResourceExecutionDocument, 'id' | 'jobId'>): string {
  return `/resource-jobs/${jobId}/${id}.csv`
}
