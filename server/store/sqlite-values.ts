import { StoreError, type Values } from './port.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database } from './sqlite-database.ts'

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
      const sql = 'SELECT key, json FROM vals WHERE app = ? AND space = ? ORDER BY key'
      const found = database.all(sql, [app.known(), space])
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
