import type { CollectionPlan } from './documents.ts'
import { StoreError } from './port.ts'
import type { Database } from './sqlite-database.ts'
import {
  dueIndex,
  exactColumn,
  type Layout,
  type Layouts,
  layoutOf,
  type Plans,
  quoted,
  sortColumn,
  sortIndex,
  uniqueIndex,
} from './sqlite-plan.ts'
import { openRows } from './sqlite-rows.ts'

/** Marks the file as a store of Headgate ("HGAT"). */
const applicationId = 0x48474154

/**
 * One script a version, applied in order and never changed once released. Tables of collections are not among them: they
 * follow documents.ts. `app` leads every key: a statement that forgot it would find no index.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE apps (
    app INTEGER PRIMARY KEY, tenant TEXT NOT NULL, application TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, application));
  CREATE TABLE hosts (name TEXT PRIMARY KEY, app INTEGER NOT NULL, version TEXT) WITHOUT ROWID;
  CREATE INDEX hosts_app ON hosts (app, name);
  CREATE TABLE plans (collection TEXT PRIMARY KEY, plan TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE fields (field INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE lists (
    app INTEGER NOT NULL, field INTEGER NOT NULL, row INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (app, field, row, value)) WITHOUT ROWID;
  CREATE INDEX lists_value ON lists (app, field, value, row);
  CREATE TABLE tags (
    app INTEGER NOT NULL, field INTEGER NOT NULL, row INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (app, field, row, key, value)) WITHOUT ROWID;
  CREATE INDEX tags_key ON tags (app, field, key, value, row);
  CREATE TABLE vals (
    app INTEGER NOT NULL, space TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (app, space, key)) WITHOUT ROWID;
  CREATE TABLE sources (source INTEGER PRIMARY KEY, app INTEGER NOT NULL, device TEXT NOT NULL, UNIQUE (app, device));
  CREATE TABLE attributes (attribute INTEGER PRIMARY KEY, app INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (app, name));
  CREATE TABLE points (
    app INTEGER NOT NULL, source INTEGER NOT NULL, attribute INTEGER NOT NULL, time INTEGER NOT NULL, value NOT NULL,
    extra TEXT, PRIMARY KEY (app, source, attribute, time)) WITHOUT ROWID;
  CREATE TABLE last_points (
    app INTEGER NOT NULL, source INTEGER NOT NULL, attribute INTEGER NOT NULL, time INTEGER NOT NULL, value NOT NULL,
    extra TEXT, PRIMARY KEY (app, source, attribute)) WITHOUT ROWID;
  CREATE TABLE blobs (
    app INTEGER NOT NULL, key TEXT NOT NULL, content INTEGER NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (app, key)) WITHOUT ROWID;
  CREATE TABLE contents (content INTEGER PRIMARY KEY AUTOINCREMENT, app INTEGER NOT NULL, started INTEGER NOT NULL, kept INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX contents_unfinished ON contents (started) WHERE kept = 0;
  CREATE TABLE chunks (
    app INTEGER NOT NULL, content INTEGER NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (app, content, position));
  `,
  `
  CREATE TABLE cells (
    app INTEGER NOT NULL, field INTEGER NOT NULL, row INTEGER NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, sorted, exact,
    PRIMARY KEY (app, field, row, key)) WITHOUT ROWID;
  CREATE INDEX cells_sorted ON cells (app, field, key, sorted, id);
  `,
  `
  ALTER TABLE apps ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX apps_unsettled ON apps (app) WHERE revision > settled;
  `,
  `
  ALTER TABLE apps ADD COLUMN places INTEGER NOT NULL DEFAULT 0;
  `,
]

/**
 * Brings the file up to this version, makes or rebuilds the tables of collections whose plan is new or has changed. All in one
 * transaction: two processes that start at once do it once. Throws StoreError `unavailable` for a file of a newer version.
 */
export function migrate(database: Database, plans: Plans): Layouts {
  return database.transaction(() => {
    checkFile(database)
    const version = versionOf(database)
    if (version > migrations.length) {
      throw new StoreError(
        'unavailable',
        `Expected a store of schema version ${migrations.length} or older, got version ${version}. Start the newer release that wrote it.`,
      )
    }
    for (const script of migrations.slice(version)) database.script(script)
    if (version < migrations.length) database.script(`PRAGMA user_version = ${migrations.length}`)
    return new Map(Object.entries(plans).map(([name, plan]) => [name, prepareCollection(database, name, plan)]))
  })
}

function versionOf(database: Database): number {
  return Number(database.get('PRAGMA user_version')?.user_version)
}

/** A database file that is someone else's is left alone. */
function checkFile(database: Database) {
  const found = Number(database.get('PRAGMA application_id')?.application_id)
  if (found === applicationId) return
  const tables = Number(database.get('SELECT count(*) AS n FROM sqlite_master')?.n)
  if (tables > 0) throw new StoreError('unavailable', 'The file is a database of another program. Name another file.')
  database.script(`PRAGMA application_id = ${applicationId}`)
}

function prepareCollection(database: Database, name: string, plan: CollectionPlan): Layout {
  const layout = layoutOf(name, plan, (field) => numberOf(database, field))
  const { definition: _, ...shape } = plan
  const wanted = JSON.stringify(shape)
  const found = database.get('SELECT plan FROM plans WHERE collection = ?', [name])?.plan
  if (found === wanted) return layout
  if (found === undefined) createTable(database, layout)
  else rebuild(database, layout)
  database.run('INSERT OR REPLACE INTO plans (collection, plan) VALUES (?, ?)', [name, wanted])
  return layout
}

function numberOf(database: Database, field: string): number {
  database.run('INSERT OR IGNORE INTO fields (name) VALUES (?)', [field])
  return Number(database.get('SELECT field FROM fields WHERE name = ?', [field])?.field)
}

function createTable(database: Database, layout: Layout) {
  const columns = layout.fields.flatMap((field) => [sortColumn(field), exactColumn(field)])
  // The body is last: what filters and sorts reads only the start of a row.
  database.script(`CREATE TABLE ${layout.table} (
    row INTEGER PRIMARY KEY, app INTEGER NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
    ${columns.join(', ')}, body TEXT NOT NULL)`)
  database.script(`CREATE UNIQUE INDEX ${sortIndex(layout, 'id')} ON ${layout.table} (app, id)`)
  for (const field of layout.fields) {
    const column = sortColumn(field)
    database.script(`CREATE INDEX ${sortIndex(layout, field)} ON ${layout.table} (app, ${column}, id)`)
  }
  for (const field of layout.due) {
    const column = sortColumn(field)
    const where = `WHERE ${column} IS NOT NULL`
    database.script(`CREATE INDEX ${dueIndex(layout, field)} ON ${layout.table} (${column}, app) ${where}`)
  }
  layout.unique.forEach((fields, position) => {
    const exact = fields.map((field) => `coalesce(${exactColumn(field)}, ${sortColumn(field)})`)
    const index = quoted(uniqueIndex(layout, position))
    database.script(`CREATE UNIQUE INDEX ${index} ON ${layout.table} (app, ${exact.join(', ')})`)
  })
}

/** Columns and index rows are made of the documents again; the documents themselves are kept as they are. */
function rebuild(database: Database, layout: Layout) {
  const old = quoted(`old_${layout.collection}`)
  const indexes = database.all('SELECT name FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL', [
    'index',
    `c_${layout.collection}`,
  ])
  for (const index of indexes) database.script(`DROP INDEX ${quoted(String(index.name))}`)
  database.script(`ALTER TABLE ${layout.table} RENAME TO ${old}`)
  createTable(database, layout)
  for (const shared of ['lists', 'tags', 'cells']) {
    const prefix = `${layout.collection}.`
    database.run(`DELETE FROM ${shared} WHERE field IN (SELECT field FROM fields WHERE substr(name, 1, ?) = ?)`, [
      prefix.length,
      prefix,
    ])
  }
  const rows = openRows(database, layout)
  let last = 0
  for (;;) {
    const page = database.all(`SELECT row, app, id, revision, body FROM ${old} WHERE row > ? ORDER BY row LIMIT 1000`, [
      last,
    ])
    if (page.length === 0) break
    for (const found of page) {
      const body = String(found.body)
      const written = { id: String(found.id), revision: Number(found.revision), document: JSON.parse(body), body }
      last = Number(found.row)
      rows.insert(Number(found.app), written, last)
    }
  }
  database.script(`DROP TABLE ${old}`)
}
