import type { DeviceDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { AppStore } from '../store/port.ts'
import { openCsvPieces } from './csv.ts'
import type { ExportInput } from './export-document.ts'

/** What the archive says of one device; `file` when it has history in the range. */
export interface ExportedDevice {
  id: string
  name: string
  deviceClass: string
  description?: string
  tags: Tag[]
  points: number
  file?: { path: string; sizeBytes: number; sha256: string }
}

/** What an archive as a whole is. Times are milliseconds since the epoch. */
export interface ExportFacts {
  application: string
  subject: { kind: string; id: string; name: string }
  requestedBy: string
  created: number
  range: Pick<ExportInput, 'start' | 'end' | 'attributes'>
  devices: number
  points: number
}

/**
 * The history of a device: `time` in milliseconds, as the format has it, `date`, the same as ISO text, since spreadsheets make
 * no date of milliseconds, and one column for each of `columns`. Nothing at all without a report in the range. `onPoints` is
 * told how many have come, and waited for.
 */
export async function* historyFile(
  app: AppStore,
  { deviceId, columns, start, end }: { deviceId: string; columns: readonly string[]; start: number; end: number },
  onPoints: (points: number) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const csv = openCsvPieces()
  let points = 0
  for await (const { time, data } of app.telemetry.points({ deviceId, start, end, attributes: columns })) {
    if (points === 0) csv.add(['time', 'date', ...columns])
    points += 1
    const values = columns.map((name) => (Object.hasOwn(data, name) ? data[name] : undefined))
    if (!csv.add([time, new Date(time).toISOString(), ...values])) continue
    await onPoints(points)
    yield csv.take()
  }
  if (points > 0) await onPoints(points)
  if (csv.waiting() > 0) yield csv.take()
}

const deviceColumns = ['id', 'name', 'class', 'description', 'points', 'file']
const otherTags = 'other tags'
/** Tag keys that have a column of their own; those beyond stand in one column as JSON. */
const mostTagColumns = 500

/** Keys of tags as they are met, as many as get columns. */
export function openTagColumns(): { meet(tags: readonly Tag[]): void; sorted(): string[] } {
  const keys = new Set<string>()
  return {
    meet(tags) {
      for (const { key } of tags) if (keys.size < mostTagColumns) keys.add(key)
    },
    sorted: () => [...keys].sort(),
  }
}

/** devices.csv: each device once. Several values of a tag stand with commas between. */
export async function* devicesFile(
  devices: AsyncIterable<ExportedDevice>,
  tagKeys: readonly string[],
): AsyncGenerator<Uint8Array> {
  // No tag key has a point in it.
  const titles = tagKeys.map((key) => (deviceColumns.includes(key) ? `tag.${key}` : key))
  const all = tagKeys.length >= mostTagColumns
  const csv = openCsvPieces()
  csv.add([...deviceColumns, ...titles, ...(all ? [otherTags] : [])])
  for await (const { id, name, deviceClass, description, points, file, tags } of devices) {
    const values = tagKeys.map((key) => valuesOf(tags, key) || undefined)
    const others = tags.filter(({ key }) => !tagKeys.includes(key))
    const rest = all ? [others.length > 0 ? JSON.stringify(others) : undefined] : []
    if (csv.add([id, name, deviceClass, description, points, file?.path, ...values, ...rest])) yield csv.take()
  }
  if (csv.waiting() > 0) yield csv.take()
}

function valuesOf(tags: readonly Tag[], key: string): string {
  return tags
    .filter((tag) => tag.key === key)
    .map(({ value }) => value)
    .join(',')
}

/** manifest.json: what the archive is, and the size and SHA-256 of each file in it. */
export async function* manifestFile(
  { application, subject, requestedBy, created, range, devices, points }: ExportFacts,
  files: AsyncIterable<object>,
): AsyncGenerator<Uint8Array> {
  const head = {
    ...{ format: 'headgate-data-export', formatVersion: 1, application, subject, requestedBy },
    created: isoOf(created),
    range: { start: isoOf(range.start), end: isoOf(range.end), attributes: range.attributes ?? null },
  }
  yield Buffer.from(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "files": [`)
  let count = 0
  for await (const file of files) {
    yield Buffer.from(`${count === 0 ? '' : ','}\n    ${JSON.stringify(file)}`)
    count += 1
  }
  const counts = { devices, files: count, points }
  yield Buffer.from(`\n  ],\n  "counts": ${JSON.stringify(counts)}\n}\n`)
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

/** Where the history of a device stands: readable, safe on every file system, and its own by the id. */
export function historyPath({ id, name }: Pick<DeviceDocument, 'id' | 'name'>): string {
  const safe = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._ -]+/gu, '_')
    .replace(/^[._ -]+/, '')
  // Cut between characters; file systems allow 255 bytes.
  const short = [...safe].slice(0, 40).join('').trimEnd()
  return `data/${short || 'device'}-${id}.csv`
}
