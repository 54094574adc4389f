import {
  type Aggregation,
  type LastValue,
  type StatePoint,
  type StateValue,
  StoreError,
  type Telemetry,
  type TelemetryRange,
} from './port.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database, Row, SqlValue } from './sqlite-database.ts'
import { readPoints } from './sqlite-points.ts'
import { decodeScalar, encodeScalar } from './sqlite-scalar.ts'

const mostRange = 25_000

/**
 * The telemetry of one application. Devices and attributes are numbered; the points of one device and attribute lie together,
 * ordered by time. The last values are kept apart.
 */
export function openTelemetry(database: Database, app: AppNumber): Telemetry {
  function numberOf(table: 'sources' | 'attributes', name: string, number: number): number | undefined {
    const [key, column] = table === 'sources' ? ['source', 'device'] : ['attribute', 'name']
    const found = database.get(`SELECT ${key} AS n FROM ${table} WHERE app = ? AND ${column} = ?`, [number, name])
    return found === undefined ? undefined : Number(found.n)
  }

  function make(table: 'sources' | 'attributes', name: string, number: number): number {
    const column = table === 'sources' ? 'device' : 'name'
    const known = numberOf(table, name, number)
    return known ?? database.run(`INSERT INTO ${table} (app, ${column}) VALUES (?, ?)`, [number, name]).lastRow
  }

  function appendOne(number: number, point: StatePoint) {
    if (!Number.isSafeInteger(point.time)) {
      throw new StoreError('limit', `Expected "time" in whole milliseconds, got ${point.time}.`)
    }
    const source = make('sources', point.deviceId, number)
    const extra = extraOf(point)
    for (const [name, given] of Object.entries(point.data)) {
      const value = encodeScalar(given)
      // Not a number, or a value that no JSON has: there is nothing to keep.
      if (value === null) continue
      const values = [number, source, make('attributes', name, number), point.time, value, extra]
      database.run(addPoint, values)
      database.run(addLast, values)
    }
  }

  function range(query: TelemetryRange): SqlValue[] | undefined {
    const number = app.known()
    const source = numberOf('sources', query.deviceId, number)
    const attribute = numberOf('attributes', query.attribute, number)
    if (source === undefined || attribute === undefined) return undefined
    return [number, source, attribute, query.start, query.end]
  }

  return {
    async append(points) {
      if (points.length === 0) return
      database.transaction(() => {
        const number = app.make()
        for (const point of points) appendOne(number, point)
      })
    },

    async last(deviceIds, attributes) {
      const number = app.known()
      const names = attributes === undefined ? '' : 'AND n.name IN (SELECT value FROM json_each(?))'
      const found = database.lists(
        `SELECT s.device, n.name, l.value, l.time, l.extra FROM json_each(?) d
          CROSS JOIN sources s ON s.app = ? AND s.device = d.value
          CROSS JOIN last_points l ON l.app = ? AND l.source = s.source
          CROSS JOIN attributes n ON n.attribute = l.attribute AND n.app = l.app ${names}`,
        [JSON.stringify([...new Set(deviceIds)]), number, number, ...(attributes ? [JSON.stringify(attributes)] : [])],
      )
      const devices = new Map<string, [string, LastValue][]>()
      for (const [device, name, value, time, extra] of found) {
        const entries = devices.get(device as string) ?? []
        entries.push([name as string, toLast({ value, time, extra })])
        devices.set(device as string, entries)
      }
      return new Map([...devices].map(([device, entries]) => [device, Object.fromEntries(entries)]))
    },

    async range({ limit = 1000, newest = false, ...query }) {
      checkLimit(limit)
      const bounds = range(query)
      if (bounds === undefined) return []
      const sql = `SELECT time, value FROM points WHERE app = ? AND source = ? AND attribute = ? AND time >= ? AND time < ?
        ORDER BY time ${newest ? 'DESC' : 'ASC'} LIMIT ?`
      return database.all(sql, [...bounds, limit]).map(toPoint)
    },

    async *points({ deviceId, start, end, attributes }) {
      const number = app.known()
      const source = numberOf('sources', deviceId, number)
      if (source === undefined) return
      const known = database
        .all(
          `SELECT n.attribute, n.name FROM last_points l JOIN attributes n ON n.attribute = l.attribute
            WHERE l.app = ? AND l.source = ? ORDER BY n.name`,
          [number, source],
        )
        .map((row): [number, string] => [Number(row.attribute), String(row.name)])
        .filter(([, name]) => attributes === undefined || attributes.includes(name))
      const reports = readPoints(database, { key: [number, source], attributes: new Map(known), start, end })
      for await (const report of reports) yield { deviceId, ...report }
    },

    async aggregate({ deviceIds, attribute, start, end, resolutionMs, aggregation }) {
      if (!Number.isSafeInteger(resolutionMs) || resolutionMs < 0) {
        throw new StoreError('limit', `Expected "resolutionMs" as a whole number from 0, got ${resolutionMs}.`)
      }
      const number = app.known()
      const attributeNumber = numberOf('attributes', attribute, number)
      if (attributeNumber === undefined) return []
      const bucket = resolutionMs === 0 ? '?' : 'p.time - ((p.time % ?1) + ?1) % ?1'
      const { value, order, only } = expressions[aggregation]
      const sql = `SELECT ${bucket.replaceAll('?1', String(resolutionMs))} AS time, ${value} AS value ${order}
        FROM (SELECT DISTINCT value FROM json_each(?)) d
        CROSS JOIN sources s ON s.app = ? AND s.device = d.value
        CROSS JOIN points p ON p.app = ? AND p.source = s.source AND p.attribute = ? AND p.time >= ? AND p.time < ?
        WHERE ${only} GROUP BY 1 ORDER BY 1 LIMIT ${mostRange + 1}`
      const first = resolutionMs === 0 ? [start] : []
      const devices = JSON.stringify(deviceIds)
      const found = database.all(sql, [...first, devices, number, number, attributeNumber, start, end])
      checkLimit(found.length)
      return found.map(toPoint)
    },

    async remove(deviceIds, { start, end, attributes } = {}) {
      const number = app.known()
      database.transaction(() => {
        const only = attributes?.map((name) => numberOf('attributes', name, number) ?? -1)
        for (const device of deviceIds) {
          const source = numberOf('sources', device, number)
          if (source !== undefined) removeOne(database, [number, source], { start, end, only })
        }
      })
    },
  }
}

const addPoint = `INSERT INTO points (app, source, attribute, time, value, extra) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, extra = excluded.extra`
const addLast = `INSERT INTO last_points (app, source, attribute, time, value, extra) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET time = excluded.time, value = excluded.value, extra = excluded.extra
  WHERE excluded.time >= time`

/** The value of a point as a number: booleans (blobs) count as 0 and 1, texts not at all. */
const numeric = `CASE typeof(p.value) WHEN 'blob' THEN p.value = x'01' WHEN 'text' THEN NULL ELSE p.value END`
const isNumeric = `typeof(p.value) <> 'text'`
const anything = '1'

/** FIRST and LAST: beside min() or max() a bare column is the one of that row. */
const expressions: Record<Aggregation, { value: string; order: string; only: string }> = {
  MEAN: { value: `avg(${numeric})`, order: '', only: isNumeric },
  MIN: { value: `min(${numeric})`, order: '', only: isNumeric },
  MAX: { value: `max(${numeric})`, order: '', only: isNumeric },
  SUM: { value: `sum(${numeric})`, order: '', only: isNumeric },
  COUNT: { value: 'count(*)', order: '', only: anything },
  FIRST: { value: 'p.value', order: ', min(p.time)', only: anything },
  LAST: { value: 'p.value', order: ', max(p.time)', only: anything },
}

/** The last values are found again among the points that are left. `only`: numbers of attributes. */
function removeOne(
  database: Database,
  key: SqlValue[],
  { start, end, only }: { start?: number; end?: number; only?: number[] },
) {
  const from = start ?? Number.MIN_SAFE_INTEGER
  const to = end ?? Number.MAX_SAFE_INTEGER
  const wanted = ({ attribute }: Row) => only === undefined || only.includes(Number(attribute))
  const affected = database
    .all('SELECT attribute FROM last_points WHERE app = ? AND source = ? AND time >= ? AND time < ?', [
      ...key,
      from,
      to,
    ])
    .filter(wanted)
  const attributes = database.all('SELECT attribute FROM last_points WHERE app = ? AND source = ?', key).filter(wanted)
  const one = 'app = ? AND source = ? AND attribute = ?'
  for (const { attribute } of attributes) {
    database.run(`DELETE FROM points WHERE ${one} AND time >= ? AND time < ?`, [...key, Number(attribute), from, to])
  }
  for (const { attribute } of affected) {
    const whole = [...key, Number(attribute)]
    database.run(`DELETE FROM last_points WHERE ${one}`, whole)
    const sql = `INSERT INTO last_points (app, source, attribute, time, value, extra)
      SELECT app, source, attribute, time, value, extra FROM points WHERE ${one} ORDER BY time DESC LIMIT 1`
    database.run(sql, whole)
  }
}

function extraOf({ meta, relay }: StatePoint): string | null {
  return meta === undefined && relay === undefined ? null : JSON.stringify({ meta, relay })
}

function toLast(row: Row): LastValue {
  const last: LastValue = { value: decodeScalar(row.value), time: Number(row.time) }
  if (row.extra === null) return last
  const { meta, relay } = JSON.parse(String(row.extra)) as Pick<StatePoint, 'meta' | 'relay'>
  if (relay !== undefined) Object.assign(last, { relayId: relay.id, relayType: relay.type })
  if (meta !== undefined) last.meta = meta
  return last
}

function toPoint(row: Row): { time: number; value: StateValue } {
  return { time: Number(row.time), value: decodeScalar(row.value) }
}

function checkLimit(limit: number) {
  if (Number.isInteger(limit) && limit >= 0 && limit <= mostRange) return
  throw new StoreError('limit', `Expected at most ${mostRange} values, got ${limit}. Ask for a shorter range.`)
}
