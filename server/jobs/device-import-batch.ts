import { createHash } from 'node:crypto'
import { Refusal } from '../../nodes/services/listing.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import { matching } from '../tenancy/batch.ts'
import { openTenancy } from '../tenancy/rule.ts'
import { tenancyWrite } from '../tenancy/write.ts'
import type { CsvRow } from './device-import-csv.ts'
import { deviceChange, newDevice, type RowRules, readRow } from './device-import-row.ts'
import type { JobContext } from './port.ts'

export interface ImportBatch {
  context: JobContext
  rows: CsvRow[]
  rules: RowRules
  matchTag: string | undefined
  /** Values of the tag that rows before this batch had. */
  matched: Set<string>
}

export interface WrittenBatch {
  created: number
  updated: number
  problems: { row: number; message: string }[]
  /** Devices that this call has made. */
  madeIds: string[]
}

/** Writes a batch, all or nothing, while the job is still this worker's. Throws StoreError `conflict` when it is to be done again. */
export async function writeBatch({ context, rows, rules, matchTag, matched }: ImportBatch): Promise<WrittenBatch> {
  const { app } = context
  const ids = rows.map(({ row }) => idOf(context.id, row))
  const made = new Set((await app.collection('devices').getMany(ids)).map(({ id }) => id))
  const found = matchTag === undefined ? undefined : await devicesByTag(context, rows, { matchTag, rules })
  const problems: WrittenBatch['problems'] = []
  const operations: WriteOperation[] = []
  const madeIds: string[] = []
  const values = new Set<string>()
  let [created, updated] = [0, 0]
  for (const [index, row] of rows.entries()) {
    const id = ids[index]!
    try {
      const given = readRow(row, rules)
      const device = found && foundBy(row, { found, rules, seen: [matched, values] })
      if (made.has(id)) created += 1
      else if (device === undefined) {
        const fields = newDevice(given, rules, row.row - 1)
        operations.push({ insert: 'devices', document: { ...emptyDevice, ...fields, id } })
        madeIds.push(id)
        created += 1
      } else {
        const change = deviceChange(device, given)
        if (change) operations.push({ update: 'devices', id: device.id, change, revision: device.revision })
        updated += 1
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      problems.push({ row: row.row, message: error.message })
    }
  }
  // Tenancy completes the batch and writes it by the fence of the job.
  const fenced: AppStore = { ...app, write: (completed) => context.write(completed) }
  if (operations.length > 0) await tenancyWrite(fenced, operations)
  for (const value of values) matched.add(value)
  return { created, updated, problems, madeIds }
}

const emptyDevice = { deviceClass: 'standalone', tags: [], attributes: [], groupIds: [] }

/** The same for the same row of the same job, at every start of it. */
function idOf(jobId: string, row: number): string {
  return createHash('sha256').update(`${jobId} ${row}`).digest('hex').slice(0, 24)
}

/** Devices that the user sees, by the values of the tag that these rows have. */
async function devicesByTag(
  { app, requestedBy }: JobContext,
  rows: readonly CsvRow[],
  { matchTag, rules }: { matchTag: string; rules: RowRules },
): Promise<Map<string, DeviceDocument[]>> {
  const wanted = new Set(rows.map(({ cells }) => cells[rules.columns.match!] ?? ''))
  const tagged: Filter = { tag: 'tags', key: { in: [matchTag] }, value: { in: [...wanted] } }
  const visible = await openTenancy(app).devicesOfUser(requestedBy.id)
  const found = new Map<string, DeviceDocument[]>()
  for await (const device of matching(app.collection('devices'), { all: [visible, tagged] })) {
    for (const { key, value } of device.tags) {
      const known = found.get(value) ?? []
      if (key === matchTag && wanted.has(value) && known.length < 2) found.set(value, [...known, device])
    }
  }
  return found
}

function foundBy(
  { cells }: CsvRow,
  { found, rules, seen }: { found: Map<string, DeviceDocument[]>; rules: RowRules; seen: [Set<string>, Set<string>] },
): DeviceDocument | undefined {
  const { columns } = rules
  const value = cells[columns.match!] ?? ''
  const column = `"${columns.tags.find(({ index }) => index === columns.match)?.key}"`
  if (value === '') throw new Refusal('Validation', `Expected a value in the column ${column}, got a blank cell`)
  if (seen.some((values) => values.has(value))) {
    throw new Refusal('Validation', `Expected each value of ${column} once, got that of a row above`)
  }
  seen[1].add(value)
  const devices = found.get(value) ?? []
  if (devices.length < 2) return devices[0]
  throw new Refusal('Validation', `Expected one device with this ${column}, got several`)
}
