import { DatabaseSync } from 'node:sqlite'
import type { WorldData } from '../world.ts'

export interface TwinUser {
  id: string
  email: string
  firstName: string
  lastName: string
  tokenCutoff: number
  experienceGroups: { id: string; name: string }[]
}

export interface TwinDevice {
  id: string
  name: string
  description: string
  tags: Record<string, string[]>
  attributes: Record<string, { attributeTags: Record<string, string> }>
  compositeState: Record<string, { value: unknown; time: Date }>
}

/** What the hand-written page asks its database: prepared statements over plain tables and a closure table of groups. */
export interface TwinDatabase {
  user(id: string): TwinUser | undefined
  /** By name; `totalCount` counts all that the user sees. */
  devicesOf(userId: string, limit: number): { items: TwinDevice[]; count: number; totalCount: number }
}

export function openTwinDatabase(file: string, data: WorldData): TwinDatabase {
  const db = new DatabaseSync(file)
  db.exec(schema)
  fill(db, data)
  const userRow = db.prepare('SELECT id, email, first_name, last_name, token_cutoff FROM users WHERE id = ?')
  const groupsOfUser = db.prepare(
    'SELECT g.id, g.name FROM user_groups ug JOIN groups g ON g.id = ug.group_id WHERE ug.user_id = ? ORDER BY g.name, g.id',
  )
  // A device may be reached by several ways: it is listed and counted once.
  const seen = `FROM devices d WHERE d.id IN (
    SELECT dg.device_id FROM user_groups ug
    JOIN group_closure c ON c.ancestor = ug.group_id
    JOIN device_groups dg ON dg.group_id = c.descendant
    WHERE ug.user_id = ?)`
  const count = db.prepare(`SELECT count(*) AS n ${seen}`)
  const page = db.prepare(
    `SELECT d.id, d.name, d.description, d.tags, d.attributes ${seen} ORDER BY d.name, d.id LIMIT ?`,
  )
  const states = db.prepare(
    'SELECT device_id, attribute, value, time FROM states WHERE device_id IN (SELECT value FROM json_each(?))',
  )

  return {
    user(id) {
      const row = userRow.get(id)
      if (row === undefined) return undefined
      return {
        id,
        email: String(row.email),
        firstName: String(row.first_name),
        lastName: String(row.last_name),
        tokenCutoff: Number(row.token_cutoff),
        experienceGroups: groupsOfUser.all(id).map((group) => ({ id: String(group.id), name: String(group.name) })),
      }
    },

    devicesOf(userId, limit) {
      const items = page.all(userId, limit).map((row) => ({
        id: String(row.id),
        name: String(row.name),
        description: String(row.description),
        tags: JSON.parse(String(row.tags)),
        attributes: JSON.parse(String(row.attributes)),
        compositeState: {} as TwinDevice['compositeState'],
      }))
      const byId = new Map(items.map((item) => [item.id, item]))
      for (const row of states.all(JSON.stringify([...byId.keys()]))) {
        const state = { value: JSON.parse(String(row.value)), time: new Date(Number(row.time)) }
        byId.get(String(row.device_id))!.compositeState[String(row.attribute)] = state
      }
      // A page that is not full has them all.
      const totalCount = items.length < limit ? items.length : Number(count.get(userId)!.n)
      return { items, count: items.length, totalCount }
    },
  }
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT, token_cutoff INTEGER) WITHOUT ROWID;
  CREATE TABLE groups (id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
  CREATE TABLE user_groups (user_id TEXT, group_id TEXT, PRIMARY KEY (user_id, group_id)) WITHOUT ROWID;
  CREATE TABLE group_closure (ancestor TEXT, descendant TEXT, PRIMARY KEY (ancestor, descendant)) WITHOUT ROWID;
  CREATE TABLE devices (id TEXT PRIMARY KEY, name TEXT, description TEXT, tags TEXT, attributes TEXT);
  CREATE INDEX devices_by_name ON devices (name, id);
  CREATE TABLE device_groups (group_id TEXT, device_id TEXT, PRIMARY KEY (group_id, device_id)) WITHOUT ROWID;
  CREATE TABLE states (device_id TEXT, attribute TEXT, value TEXT, time INTEGER, PRIMARY KEY (device_id, attribute))
    WITHOUT ROWID;
`

function fill(db: DatabaseSync, { users, groups, devices, state }: WorldData): void {
  const into = (table: string, columns: number) =>
    db.prepare(`INSERT INTO ${table} VALUES (${Array.from({ length: columns }, () => '?').join(', ')})`)
  const [user, userGroup, group] = [into('users', 5), into('user_groups', 2), into('groups', 2)]
  const [closure, device, deviceGroup, last] = [
    into('group_closure', 2),
    into('devices', 5),
    into('device_groups', 2),
    into('states', 4),
  ]
  db.exec('BEGIN')
  for (const { id, email, firstName = '', lastName = '', tokenCutoff = 0, experienceGroupIds } of users) {
    user.run(id, email, firstName, lastName, tokenCutoff)
    for (const one of experienceGroupIds) userGroup.run(id, one)
  }
  for (const { id, name, ancestorIds } of groups) {
    group.run(id, name)
    for (const ancestor of [id, ...ancestorIds]) closure.run(ancestor, id)
  }
  for (const { id, name, description = '', tags, attributes, groupIds } of devices) {
    const tagMap = Object.fromEntries(tags.map(({ key, value }) => [key, [value]]))
    const attributeMap = Object.fromEntries(attributes.map((one) => [one.name, one]))
    device.run(id, name, description, JSON.stringify(tagMap), JSON.stringify(attributeMap))
    for (const one of groupIds) deviceGroup.run(one, id)
    for (const [attribute, { value, time }] of Object.entries(state[id] ?? {})) {
      last.run(id, attribute, JSON.stringify(value), time)
    }
  }
  db.exec('COMMIT')
}
