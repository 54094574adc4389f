import { StoreError, type Values } from './port.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database } from './sqlite-database.ts'

/** The small values of one application. */
export function openValues(database: Database, app: AppNumber): Values {
  const read = (space: string, key: string): unknown => {
    const number = app.known()
    if (number === undefined) return undefined
    const found = database.get('SELECT json FROM vals WHERE app = ? AND space = ? AND key = ?', [number, space, key])
    return found === undefined ? undefined : JSON.parse(String(found.json))
  }
  const write = (space: string, key: string, value: unknown) => {
    const json = JSON.stringify(value)
    if (json === undefined) {
      const number = app.known()
      if (number === undefined) return
      database.run('DELETE FROM vals WHERE app = ? AND space = ? AND key = ?', [number, space, key])
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
      const number = app.known()
      if (number === undefined) return {}
      const found = database.all('SELECT key, json FROM vals WHERE app = ? AND space = ? ORDER BY key', [number, space])
      return Object.fromEntries(found.map((row) => [String(row.key), JSON.parse(String(row.json))]))
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
  }
}
