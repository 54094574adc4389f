import { setImmediate as pause } from 'node:timers/promises'
import type { Database } from './sqlite-database.ts'
import { type FilterContext, withinFields } from './sqlite-filter.ts'

/** Groups whose devices one statement marks. */
const slice = 500

/**
 * Counts devices at or below groups, when they are too many for one statement: group after group marks its devices in a table
 * of this connection, in memory, and each is counted when it is marked first. 0.6 us a device; others have their turn in between.
 */
export function openWithinCounter(database: Database) {
  const idle: string[] = []
  let made = 0

  function borrowTable(): string {
    const name = idle.pop() ?? `temp.counted_${++made}`
    database.script(`CREATE TABLE IF NOT EXISTS ${name} (row INTEGER PRIMARY KEY)`)
    return name
  }

  return async (groupIds: readonly string[], context: FilterContext): Promise<number> => {
    const { app, groups } = context
    const [device, above] = withinFields(context)
    const table = borrowTable()
    const mark = `INSERT OR IGNORE INTO ${table} (row) SELECT l.row FROM`
    const devices = `lists l INDEXED BY lists_value ON l.app = ? AND l.field = ${device} AND l.value`
    const below = `lists a INDEXED BY lists_value WHERE a.app = ? AND a.field = ${above} AND a.value = ? AND a.row > ?`
    let total = 0
    try {
      for (const id of new Set(groupIds)) {
        total += database.run(`${mark} (SELECT ? AS id) w CROSS JOIN ${devices} = w.id`, [id, app]).changes
        let last = 0
        for (;;) {
          const page = database.all(`SELECT a.row FROM ${below} ORDER BY a.row LIMIT ${slice}`, [app, id, last])
          if (page.length === 0) break
          const end = Number(page.at(-1)?.row)
          const some = `(SELECT a.row FROM ${below} AND a.row <= ?) b CROSS JOIN ${groups?.table} g ON g.row = b.row`
          const sql = `${mark} ${some} CROSS JOIN ${devices} = g.id`
          total += database.run(sql, [app, id, last, end, app]).changes
          last = end
          await pause()
        }
      }
      return total
    } finally {
      if (database.isOpen()) {
        database.script(`DELETE FROM ${table}`)
        idle.push(table)
      }
    }
  }
}
