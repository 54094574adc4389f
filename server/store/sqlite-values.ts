import { StoreError, type Values } from './port.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database } from './sqlite-database.ts'

const MOST_ENTRIES_CHARS = 5 << 20
const PAGE = 100

/** The small values of one application. */
export function openValues(database: Database, app: AppNumber): Values {
  const read = (space: string, key: string): unknown => {
    const sql = 'SELECT json FROM vals WHERE app = ? AND space = ? AND key = ?'
    const found = database.get(sql, [app.known(), space, key])
    return found === undefined ? undefined : JSON.parse(String(found.json))
  }
  const write = (space: string, key: string, value: unknown) => {
    const json = JSON.stringify(value)
    if (json === undefined) {
      database.run('DELETE FROM vals WHERE app = ? AND space = ? AND key = ?', [app.known(), space, key])
      return
    }
    const sql = `INSERT INTO vals (app, space, key, json) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET json = excluded.json`
    database.run(sql, [app.make(), space, key, json])
  }

  return {
    async get(space, key) {
      return read(space, key)
    },

    async entries(space) {
      const sql = 'SELECT key, json FROM vals WHERE app = ? AND space = ? AND key > ? ORDER BY key LIMIT ?'
      const entries: [string, unknown][] = []
      let chars = 0
      const more = (after: string) => database.all(sql, [app.known(), space, after, PAGE])
      // The empty key comes before all others, and after nothing.
      const first = read(space, '')
      if (first !== undefined) entries.push(['', first])
      for (let page = more(''); page.length > 0; page = more(String(page.at(-1)!.key))) {
        for (const row of page) {
          const [key, json] = [String(row.key), String(row.json)]
          chars += key.length + json.length
          if (chars > MOST_ENTRIES_CHARS) {
            throw new StoreError('limit', `More than ${MOST_ENTRIES_CHARS} characters are stored in "${space}"`)
          }
          entries.push([key, JSON.parse(json)])
        }
      }
      return Object.fromEntries(entries)
    },

    async set(space, key, value) {
      write(space, key, value)
    },

    async take(space, key) {
      return database.transaction(() => {
        const value = read(space, key)
        if (value !== undefined) write(space, key, undefined)
        return value
      })
    },

    async add(space, key, amount) {
      return database.transaction(() => {
        const value = read(space, key) ?? 0
        const sum = typeof value === 'number' ? value + amount : Number.NaN
        if (!Number.isFinite(sum)) {
          throw new StoreError(
            'not-number',
            `Expected a number under "${key}" and a finite sum, got a ${typeof value}.`,
          )
        }
        write(space, key, sum)
        return sum
      })
    },

    async swap(space, key, { before, after }) {
      return database.transaction(() => {
        const same = JSON.stringify(read(space, key)) === JSON.stringify(before)
        if (same) write(space, key, after)
        return same
      })
    },
  }
}
