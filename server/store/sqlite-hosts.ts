import type { Host } from './documents.ts'
import { type Hosts, StoreError } from './port.ts'
import type { Scope } from './scope.ts'
import type { AppNumber } from './sqlite-collection.ts'
import type { Database, Row } from './sqlite-database.ts'

/** The host names of the whole store. */
export function openHosts(database: Database, appOf: (scope: Scope) => AppNumber): Hosts {
  const select = 'SELECT h.name, h.version, a.tenant, a.application FROM hosts h JOIN apps a ON a.app = h.app'
  return {
    async find(name) {
      const found = database.get(`${select} WHERE h.name = ?`, [name])
      return found === undefined ? undefined : toHost(found)
    },

    async put({ name, scope, version }) {
      const sql = `INSERT INTO hosts (name, app, version) VALUES (?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET version = excluded.version WHERE app = excluded.app`
      const { changes } = database.run(sql, [name, appOf(scope).make(), version ?? null])
      if (changes === 0) {
        throw new StoreError('conflict', `The host name "${name}" is taken by another application. Choose another.`)
      }
    },

    async of(scope) {
      return database.all(`${select} WHERE h.app = ? ORDER BY h.name`, [appOf(scope).known()]).map(toHost)
    },

    async remove(name, scope) {
      database.run('DELETE FROM hosts WHERE name = ? AND app = ?', [name, appOf(scope).known()])
    },
  }
}

function toHost(row: Row): Host {
  const scope = { tenant: String(row.tenant), application: String(row.application) }
  const host: Host = { name: String(row.name), scope }
  if (row.version !== null) host.version = String(row.version)
  return host
}
