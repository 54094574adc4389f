import { toDeviceViews } from '../resources/device-views.ts'
import { toEventViews } from '../resources/event-views.ts'
import type { DeviceDocument, EventDocument } from '../store/documents/devices.ts'
import type { AppStore } from '../store/port.ts'
import { batches } from './batches.ts'
import { type Cell, openCsvPieces } from './csv.ts'
import { openTagColumns } from './export-files.ts'

const batchSize = 100
const pieceCharacters = 64 * 1024

/** Called as items are read; throws when the export is to end. */
type Tell = (items: number) => Promise<void>

const deviceTitles = ['name', 'id', 'description', 'class']

/** Devices with a column for each key of their tags (of the first 500); several values stand with commas between. */
export async function* devicesCsv(devices: () => AsyncIterable<DeviceDocument>, tell: Tell) {
  const columns = openTagColumns()
  for await (const batch of batches(devices(), batchSize)) {
    for (const { tags } of batch) columns.meet(tags)
    await tell(0)
  }
  const keys = columns.sorted()
  const titles = keys.map((key) => (deviceTitles.includes(key) ? `tag.${key}` : key))
  yield* csvFile([...deviceTitles, ...titles], devices(), tell, async (batch) =>
    batch.map(({ id, name, description, deviceClass, tags }) => [
      ...[name, id, description, deviceClass],
      ...keys.map((key) => tags.flatMap((tag) => (tag.key === key ? [tag.value] : [])).join(',') || undefined),
    ]),
  )
}

/** Devices as the API gives them. */
export function devicesJson(app: AppStore, devices: AsyncIterable<DeviceDocument>, tell: Tell) {
  return jsonFile(devices, tell, (batch) => toDeviceViews(app, batch, { includeConnectionInfo: true }))
}

const eventTitles = [
  ...['id', 'subject', 'level', 'state', 'message', 'deviceId', 'deviceName', 'sourceType', 'sourceId', 'sourceName'],
  ...['creationDate', 'lastUpdated', 'data', 'eventTags', 'updates'],
] as const

/** How events are written: with what was said of them later, or without. */
export interface EventOptions {
  app: AppStore
  excludeUpdates: boolean
}

/** Events; what is no single value is JSON. */
export function eventsCsv({ app, excludeUpdates }: EventOptions, events: AsyncIterable<EventDocument>, tell: Tell) {
  const titles = eventTitles.filter((title) => title !== 'updates' || !excludeUpdates)
  return csvFile(titles, events, tell, async (batch) =>
    (await toEventViews(app, batch)).map((view) => titles.map((title) => cellOf(view[title]))),
  )
}

/** Events as the API gives them. */
export function eventsJson({ app, excludeUpdates }: EventOptions, events: AsyncIterable<EventDocument>, tell: Tell) {
  return jsonFile(events, tell, async (batch) => {
    const views = await toEventViews(app, batch)
    return excludeUpdates ? views.map(({ updates: _, ...view }) => view) : views
  })
}

function cellOf(value: unknown): Cell {
  if (value === undefined || value === null) return undefined
  return typeof value === 'object' ? JSON.stringify(value) : (value as Cell)
}

async function* csvFile<T>(
  titles: readonly string[],
  items: AsyncIterable<T>,
  tell: Tell,
  rowsOf: (batch: T[]) => Promise<Cell[][]>,
): AsyncGenerator<Uint8Array> {
  const csv = openCsvPieces()
  csv.add(titles)
  let done = 0
  for await (const batch of batches(items, batchSize)) {
    for (const row of await rowsOf(batch)) if (csv.add(row)) yield csv.take()
    done += batch.length
    await tell(done)
  }
  if (csv.waiting() > 0) yield csv.take()
}

async function* jsonFile<T>(
  items: AsyncIterable<T>,
  tell: Tell,
  viewsOf: (batch: T[]) => Promise<object[]>,
): AsyncGenerator<Uint8Array> {
  let text = '['
  let done = 0
  for await (const batch of batches(items, batchSize)) {
    for (const view of await viewsOf(batch)) {
      text += `${text === '[' ? '\n' : ',\n'}${JSON.stringify(view)}`
      if (text.length < pieceCharacters) continue
      yield Buffer.from(text)
      text = ''
    }
    done += batch.length
    await tell(done)
  }
  yield Buffer.from(`${text}\n]\n`)
}
