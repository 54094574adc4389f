import { randomBytes } from 'node:crypto'
import { Refusal } from '../../nodes/services/listing.ts'
import { exportKind } from '../jobs/export-document.ts'
import type { Jobs } from '../jobs/port.ts'
import type { PointsAsked, ResourceExportInput, RowsAsked } from '../jobs/resource-export-document.ts'
import { isAddress } from '../mail-header.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { refused } from './check.ts'
import { rowFilter, rowOrder } from './data-table-query.ts'
import { queriedDevices, queriedEvents, selectedDevices } from './export-filters.ts'

/** How the published API answers work that is done later. */
export interface JobEnqueued {
  success: true
  jobQueued: true
  /** 21 characters. */
  jobId: string
}

/** Who is told of the file: a mail with a link, a POST with `downloadUrl`, or, with neither, nobody. */
export interface Recipients {
  email?: string
  callbackUrl?: string
}

/** Files that flows ask for by the published API, written on the queue. Every method throws Refusal for what cannot be done. */
export interface Exports {
  points(asked: PointsAsked, to: Recipients): Promise<JobEnqueued>
  devices(asked: { query: unknown; format: 'csv' | 'json' }, to: Recipients): Promise<JobEnqueued>
  events(
    asked: { query: unknown; format: 'csv' | 'json'; excludeUpdates: boolean },
    to: Recipients,
  ): Promise<JobEnqueued>
  /** `RateLimit` for a table that was exported in the last 5 minutes. */
  rows(asked: RowsAsked, to: Recipients): Promise<JobEnqueued>
}

export interface ExportsDeps {
  app: AppStore
  now(): number
  jobs: Jobs
  /** Where the application is reached, as `https://shop.example.com`. */
  origin(): string
  /** The flow that asks. */
  by: { type: string; id: string }
}

const rowsEveryMs = 5 * 60 * 1000
/** Exports of an application's flows that wait or run at a time. */
const mostWaiting = 50

export function openExports({ app, now, jobs, origin, by }: ExportsDeps): Exports {
  /** Adds the job once everything that can be told before is checked. */
  async function ask(asked: Asked, { email, callbackUrl }: Recipients): Promise<JobEnqueued> {
    const own: Filter = { field: 'requestedBy.type', op: 'eq', value: by.type }
    const ofKind: Filter = { field: 'kind', op: 'eq', value: exportKind }
    const open: Filter = { field: 'status', op: 'in', value: ['queued', 'running'] }
    if ((await app.collection('jobs').count({ all: [ofKind, open, own] })) >= mostWaiting) {
      throw new Refusal(
        'RateLimit',
        `Expected at most ${mostWaiting} exports that wait; try again when some have ended`,
      )
    }
    const publicId = randomBytes(16).toString('base64url').slice(0, 21)
    const input = {
      ...{ ...asked, publicId, origin: origin() },
      ...(email ? { email: addressOf(email) } : {}),
      ...(callbackUrl ? { callbackUrl: urlOf(callbackUrl) } : {}),
    } as ResourceExportInput
    await jobs.add({ kind: exportKind, key: `${exportKind}:${publicId}`, input, requestedBy: by })
    return { success: true, jobQueued: true, jobId: publicId }
  }

  /** Takes the turn of a table, or throws `RateLimit`: over all processes one in 5 minutes. */
  async function takeTurn(tableId: string): Promise<void> {
    const before = await app.values.get(turns, tableId)
    const recent = typeof before === 'number' && now() - before < rowsEveryMs
    if (!recent && (await app.values.swap(turns, tableId, { before, after: now() }))) return
    throw new Refusal('RateLimit', 'Expected one export of a data table in 5 minutes; try again later')
  }

  return {
    async points(asked, to) {
      await selectedDevices(app, asked.devices)
      return await ask({ of: 'points', ...asked }, checked(to))
    },
    async devices(asked, to) {
      await queriedDevices(app, asked.query)
      return await ask({ of: 'devices', ...asked }, checked(to))
    },
    async events(asked, to) {
      await queriedEvents(app, asked.query)
      return await ask({ of: 'events', ...asked }, checked(to))
    },
    async rows(asked, to) {
      const table = await app.collection('dataTables').get(asked.tableId)
      if (table === undefined) throw new Refusal('NotFound', 'Data table was not found')
      await rowFilter(table, asked.query)
      if (asked.sortColumn !== undefined) rowOrder(table, asked.sortColumn, asked.sortDirection ?? 'asc')
      checked(to)
      await takeTurn(table.id)
      return await ask({ of: 'rows', ...asked }, to)
    },
  }
}

const turns = 'data-table-exports'

type Asked =
  | ({ of: 'points' } & PointsAsked)
  | { of: 'devices'; query: unknown; format: 'csv' | 'json' }
  | { of: 'events'; query: unknown; format: 'csv' | 'json'; excludeUpdates: boolean }
  | ({ of: 'rows' } & RowsAsked)

function checked(to: Recipients): Recipients {
  if (to.email) addressOf(to.email)
  if (to.callbackUrl) urlOf(to.callbackUrl)
  return to
}

function addressOf(email: string): string {
  if (isAddress(email)) return email
  throw refused('email', 'one e-mail address', email)
}

/** Where it leads to is looked at when it is called. */
function urlOf(text: string): string {
  const url = text.length <= 1_024 && URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.href
  throw refused('callbackUrl', 'a URL as https://..., at most 1,024 characters', text)
}
