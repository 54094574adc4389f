import type { StatePoint } from './port.ts'
import type { Database, Row } from './sqlite-database.ts'
import { decodeScalar } from './sqlite-scalar.ts'

const PAGE_POINTS = 1_000

/**
 * Whole reports of one device, oldest first. The points of each attribute lie apart: a page ends where the first attribute
 * has given its share, so that memory is bounded by the number of attributes.
 */
export async function* readPoints(
  database: Database,
  {
    key,
    attributes,
    ...range
  }: { key: [number, number]; attributes: ReadonlyMap<number, string>; start: number; end: number },
): AsyncIterable<Omit<StatePoint, 'deviceId'>> {
  for (let from = range.start; from < range.end; ) {
    const to = pageEnd(database, { key, attributes, from, end: range.end })
    yield* readPage(database, { key, attributes, from, to })
    from = to
  }
}

interface Page {
  key: [number, number]
  attributes: ReadonlyMap<number, string>
  from: number
}

/** After the last point of a full page of any attribute. */
function pageEnd(database: Database, { key, attributes, from, end }: Page & { end: number }): number {
  const sql = `SELECT time FROM points WHERE app = ? AND source = ? AND attribute = ? AND time >= ? AND time < ?
    ORDER BY time LIMIT 1 OFFSET ${PAGE_POINTS - 1}`
  const ends = [...attributes.keys()].map((attribute) => {
    const last = database.get(sql, [...key, attribute, from, end])
    return last === undefined ? end : Number(last.time) + 1
  })
  return Math.min(end, ...ends)
}

function readPage(database: Database, { key, attributes, from, to }: Page & { to: number }) {
  const reports = new Map<number, Omit<StatePoint, 'deviceId'>>()
  const sql = `SELECT time, value, extra FROM points WHERE app = ? AND source = ? AND attribute = ? AND time >= ? AND time < ?`
  for (const [attribute, name] of attributes) {
    for (const row of database.all(sql, [...key, attribute, from, to])) {
      const time = Number(row.time)
      const report = reports.get(time) ?? { time, data: {}, ...extraOf(row) }
      report.data[name] = decodeScalar(row.value)
      reports.set(time, report)
    }
  }
  return [...reports.values()].sort((a, b) => a.time - b.time)
}

function extraOf({ extra }: Row): Pick<StatePoint, 'meta' | 'relay'> {
  return extra === null ? {} : (JSON.parse(String(extra)) as Pick<StatePoint, 'meta' | 'relay'>)
}
