import { type Due, type Store, StoreError } from './port.ts'
import type { Database, Row } from './sqlite-database.ts'
import { dueIndex, type Layouts, sortColumn } from './sqlite-plan.ts'

/** What is to be done in all applications: the index of what is due is kept by the writes themselves. */
export function openDue(database: Database, layouts: Layouts): Pick<Store, 'due' | 'unsettled' | 'settle'> {
  return {
    async due(name, field, until) {
      const layout = layouts.get(name)
      if (!layout?.due.includes(field)) {
        throw new StoreError('field', `Expected a field of ${name} that is due, got ${JSON.stringify(field)}.`)
      }
      const at = sortColumn(field)
      const sql = `SELECT a.tenant, a.application, d.at FROM (
          SELECT app, min(${at}) AS at FROM ${layout.table} INDEXED BY ${dueIndex(layout, field)}
          WHERE ${at} IS NOT NULL AND ${at} <= ? GROUP BY app) d
        JOIN apps a ON a.app = d.app`
      return database.all(sql, [until]).map((row): Due => ({ scope: scopeOf(row), at: Number(row.at) }))
    },

    async unsettled() {
      const sql = 'SELECT tenant, application, revision FROM apps INDEXED BY apps_unsettled WHERE revision > settled'
      return database.all(sql).map((row) => ({ scope: scopeOf(row), revision: Number(row.revision) }))
    },

    async settle({ tenant, application }, revision) {
      const sql = 'UPDATE apps SET settled = ? WHERE tenant = ? AND application = ? AND revision = ?'
      database.run(sql, [revision, tenant, application, revision])
    },
  }
}

function scopeOf(row: Row) {
  return { tenant: String(row.tenant), application: String(row.application) }
}
