import { Refusal } from '../../nodes/services/listing.ts'
import { exportCsv } from '../resources/data-table-csv.ts'
import { queriedDevices, queriedEvents, selectedDevices } from '../resources/export-filters.ts'
import { sortedRows } from '../resources/sorted-rows.ts'
import type { AppStore } from '../store/port.ts'
import { archived, attemptKey } from './export-attempt.ts'
import { deliveries, failures } from './export-delivery.ts'
import { exportLifetimeMs } from './export-document.ts'
import { signedPath } from './export-link.ts'
import { type JobContext, JobFailed, type JobResult, type Jobs } from './port.ts'
import type { ResourceExportInput, ResourceExportOutput } from './resource-export-document.ts'
import { devicesCsv, devicesJson, eventsCsv, eventsJson } from './resource-export-files.ts'
import { archivePoints, pointsFile } from './resource-export-points.ts'

interface Deps {
  now(): number
  jobsOf(app: AppStore): Jobs
}

/** As often as the queue starts an export. */
const mostAttempts = 5
/** Links to the rows of a table live for a week. */
const rowsLifetimeMs = 7 * 24 * 60 * 60 * 1000

/**
 * Writes what the published API asked for into a blob. The attempt that ends the job asks for the mail and the callback in the same
 * write, one of each; the last attempt that fails tells the callback so.
 */
export async function runResourceExport(
  context: JobContext,
  input: ResourceExportInput,
  deps: Deps,
): Promise<JobResult> {
  const { app, id } = context
  const jobs = deps.jobsOf(app)
  const created = deps.now()
  const blobKey = await attemptKey(context, jobs, created)
  try {
    const { extension, contentType, put } = contents(context, input, { blobKey, created })
    const blob = await put()
    const expiresAt = deps.now() + (input.of === 'rows' ? rowsLifetimeMs : exportLifetimeMs)
    const fileName = `${input.of}-export-${new Date(created).toISOString().slice(0, 10)}.${extension}`
    const output: ResourceExportOutput = {
      ...{ blobKey, ...blob, expiresAt, fileName, contentType },
      downloadUrl: `${input.origin}${await signedPath(app, id, expiresAt)}`,
    }
    return { output, operations: deliveries({ app, jobs, jobId: id, input }, output) }
  } catch (thrown) {
    await app.blobs.remove(blobKey).catch(() => undefined) // The clean-up comes later.
    const error =
      thrown instanceof Refusal ? new JobFailed('export.refused', thrown.message, { cause: thrown }) : thrown
    const last = error instanceof JobFailed || context.attempt >= mostAttempts
    if (last && !context.signal.aborted) {
      const shown = error instanceof JobFailed ? error.message : 'Something went wrong on the server'
      await context.write(failures({ app, jobs, input }, { name: 'ExportError', message: shown }))
    }
    throw error
  }
}

interface Contents {
  extension: string
  contentType: string
  put(): Promise<{ sizeBytes: number; sha256: string }>
}

function contents(context: JobContext, input: ResourceExportInput, at: { blobKey: string; created: number }): Contents {
  const { app, signal } = context
  const tell = async (items: number, points = 0) => {
    signal.throwIfAborted()
    await context.progress({
      completed: items,
      status: points > 0 ? `Report ${points} of device ${items + 1}` : undefined,
    })
  }
  const file = (pieces: () => Promise<AsyncIterable<Uint8Array>>) => async () =>
    await app.blobs.put(at.blobKey, await pieces())
  const csv = { extension: 'csv', contentType: 'text/csv' }
  const json = { extension: 'json', contentType: 'application/json' }
  switch (input.of) {
    case 'points': {
      const source = async () => ({ app, asked: input, tell, filter: await selectedDevices(app, input.devices) })
      if (!input.filePerDevice) return { ...csv, put: file(async () => pointsFile(await source())) }
      const put = async () => {
        const given = await source()
        return (await archived(context, at, (archive) => archivePoints(given, archive)))[0]
      }
      return { extension: 'zip', contentType: 'application/zip', put }
    }
    case 'devices': {
      const found = async () => {
        const filter = await queriedDevices(app, input.query)
        return () => app.collection('devices').each(filter)
      }
      if (input.format === 'csv') return { ...csv, put: file(async () => devicesCsv(await found(), tell)) }
      return { ...json, put: file(async () => devicesJson(app, (await found())(), tell)) }
    }
    case 'events': {
      const write = input.format === 'csv' ? eventsCsv : eventsJson
      const options = { app, excludeUpdates: input.excludeUpdates }
      const put = file(async () => {
        return write(options, app.collection('events').each(await queriedEvents(app, input.query)), tell)
      })
      return { ...(input.format === 'csv' ? csv : json), put }
    }
    case 'rows':
      return {
        ...csv,
        put: file(async () => {
          const table = await app.collection('dataTables').get(input.tableId)
          if (table === undefined) throw new JobFailed('export.unknown', 'The data table was removed meanwhile')
          return exportCsv(table, sortedRows(app, table, input, tell))
        }),
      }
  }
}
