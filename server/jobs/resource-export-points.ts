import type { DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore, Filter } from '../store/port.ts'
import type { Archive } from './archive.ts'
import { batches } from './batches.ts'
import { type Cell, openCsvPieces } from './csv.ts'
import { historyPath } from './export-files.ts'
import { JobFailed } from './port.ts'
import type { PointsAsked } from './resource-export-document.ts'

/** What the history of devices is read from, and who is told how far it is. */
export interface PointsSource {
  app: AppStore
  filter: Filter
  asked: PointsAsked
  /** Waited for; throws when the export is to end. */
  tell(devices: number, points: number): Promise<void>
}

const batchSize = 100
const mostColumns = 2_000

/** The history of all devices in one file, device by device, oldest first: a column for each attribute that one of them has. */
export async function* pointsFile(source: PointsSource): AsyncGenerator<Uint8Array> {
  const columns = await columnsOf(source)
  const csv = openCsvPieces()
  csv.add([...timeTitles(source.asked), ...columns])
  let done = 0
  for await (const { device, names } of withHistory(source)) {
    await source.tell(done, 0)
    for await (const piece of rows(source, { device, names, columns, done, csv })) yield piece
    done += 1
  }
  if (csv.waiting() > 0) yield csv.take()
}

/** A file for each device that has history in the range, with the columns that are its own. */
export async function archivePoints(source: PointsSource, archive: Archive): Promise<void> {
  let done = 0
  for await (const { device, names } of withHistory(source)) {
    await source.tell(done, 0)
    await archive.add(historyPath(device).replace(/^data\//, ''), deviceFile(source, device, names, done))
    done += 1
  }
  await archive.end()
}

async function* deviceFile(source: PointsSource, device: DeviceDocument, names: string[], done: number) {
  const csv = openCsvPieces()
  let begun = false
  const header = () => {
    if (!begun) csv.add([...timeTitles(source.asked), ...names])
    begun = true
  }
  yield* rows(source, { device, names, columns: names, done, csv, before: header })
  if (csv.waiting() > 0) yield csv.take()
}

interface RowsOf {
  device: DeviceDocument
  /** Those of the columns that it has. */
  names: readonly string[]
  columns: readonly string[]
  done: number
  csv: ReturnType<typeof openCsvPieces>
  before?(): void
}

async function* rows(source: PointsSource, { device, names, columns, done, csv, before }: RowsOf) {
  const { app, asked, tell } = source
  const { start, end } = asked
  let points = 0
  for await (const { time, data } of app.telemetry.points({ deviceId: device.id, start, end, attributes: names })) {
    before?.()
    points += 1
    const values = columns.map((name) => (Object.hasOwn(data, name) ? data[name] : undefined))
    if (!csv.add([...timeCells(asked, device.id, time), ...values])) continue
    await tell(done, points)
    yield csv.take()
  }
}

/** With neither date nor id the published form of one device; else columns that tell which is which. */
function timeTitles({ includeDate, includeId }: PointsAsked): string[] {
  if (!includeDate && !includeId) return ['time']
  return [...(includeId ? ['ID'] : []), 'Timestamp', ...(includeDate ? ['Date'] : [])]
}

function timeCells({ includeDate, includeId }: PointsAsked, id: string, time: number): Cell[] {
  return [...(includeId ? [id] : []), time, ...(includeDate ? [new Date(time).toISOString()] : [])]
}

/** Devices with something to tell, and the names of what was asked for that they have, also from attributes that are gone. */
async function* withHistory({ app, filter, asked }: PointsSource): AsyncGenerator<{
  device: DeviceDocument
  names: string[]
}> {
  for await (const batch of batches(app.collection('devices').each(filter), batchSize)) {
    const ids = batch.map(({ id }) => id)
    const last = await app.telemetry.last(ids, asked.attributes)
    for (const device of batch) {
      const names = Object.keys(last.get(device.id) ?? {}).sort()
      if (names.length > 0) yield { device, names }
    }
  }
}

async function columnsOf(source: PointsSource): Promise<string[]> {
  if (source.asked.attributes !== undefined) return source.asked.attributes
  const names = new Set<string>()
  for await (const one of withHistory(source)) for (const name of one.names) names.add(name)
  if (names.size <= mostColumns) return [...names].sort()
  const message = `Expected at most ${mostColumns} attributes in one file, got ${names.size}. Name some, or ask for a file per device`
  throw new JobFailed('export.columns', message)
}
