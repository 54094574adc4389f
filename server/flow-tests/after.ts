import type { Resources } from '../resources/resources.ts'
import type { CollectionName } from '../store/documents.ts'
import type { AppStore } from '../store/port.ts'
import { type Mismatch, mismatches, show } from './match.ts'
import { tableNamed } from './start.ts'
import type { Expectation } from './test-file.ts'

type KnownIds = Map<string, Set<string>>

/** The ids that the collections in `created` hold now. */
export async function idsOf(app: AppStore, { created }: Expectation): Promise<KnownIds> {
  const known: KnownIds = new Map()
  for (const name of Object.keys(created ?? {})) {
    known.set(name, new Set((await documentsOf(app, name)).map(({ id }) => id)))
  }
  return known
}

/** Where the application is not as the case expects it to be after the run. `known`: what `idsOf` gave before it. */
export async function compareAfter(
  expect: Expectation,
  { app, flowId, resources, known }: { app: AppStore; flowId: string; resources: Resources; known: KnownIds },
): Promise<Mismatch[]> {
  const wrong: Mismatch[] = []
  const { devices, users, groups } = resources
  const everything = { tagsAsObject: true, attributesAsObject: true, state: true } as const
  const deviceNamed = async (name: string) => (await devices.find({ by: 'name', name }, {}, everything)).items[0]
  if (expect.values) wrong.push(...mismatches(expect.values, await app.values.entries(`flow:${flowId}`), 'values'))
  for (const [name, wanted] of Object.entries(expect.state ?? {})) {
    const state = (await deviceNamed(name))?.compositeState as Record<string, { value: unknown }> | undefined
    const last = state && Object.fromEntries(Object.entries(state).map(([key, { value }]) => [key, value]))
    wrong.push(...mismatches(wanted, last, `state.${name}`))
  }
  for (const [name, wanted] of Object.entries(expect.devices ?? {})) {
    wrong.push(...mismatches(wanted, await deviceNamed(name), `devices.${name}`))
  }
  for (const [email, wanted] of Object.entries(expect.users ?? {})) {
    wrong.push(...mismatches(wanted, await users.get(email), `users.${email}`))
  }
  for (const [name, wanted] of Object.entries(expect.groups ?? {})) {
    const { items } = await groups.find({ by: 'name', name }, {})
    wrong.push(...mismatches(wanted, items[0], `groups.${name}`))
  }
  if (expect.events) {
    const { items } = await resources.events.find({ by: 'query', query: undefined }, { perPage: 1_000 })
    wrong.push(...compareAdded(expect.events, items, 'events'))
  }
  for (const [name, wanted] of Object.entries(expect.tables ?? {})) {
    const table = await tableNamed(name, resources)
    if (table === undefined) wrong.push({ at: `tables.${name}`, expected: 'a table of this name', got: 'none' })
    else {
      const { items } = await resources.dataTables.rows(table, { limit: 10_000 })
      wrong.push(...compareAdded(wanted, items, `tables.${name}`))
    }
  }
  for (const [name, wanted] of Object.entries(expect.created ?? {})) {
    const added = (await documentsOf(app, name)).filter(({ id }) => !known.get(name)?.has(id))
    wrong.push(...compareAdded(wanted, added, `created.${name}`))
  }
  return wrong
}

// In any order: each that is expected takes the first that fits it.
function compareAdded(wanted: unknown[], added: readonly object[], at: string): Mismatch[] {
  const left = [...added]
  const wrong: Mismatch[] = []
  for (const [index, one] of wanted.entries()) {
    const found = left.findIndex((document) => mismatches(one, document, '').length === 0)
    if (found >= 0) left.splice(found, 1)
    else if (left.length === 1 && wanted.length === added.length)
      wrong.push(...mismatches(one, left[0], `${at}.${index}`))
    else wrong.push({ at: `${at}.${index}`, expected: show(one), got: `none like it among ${added.length}` })
  }
  if (wanted.length !== added.length) {
    wrong.push({ at, expected: `${wanted.length} documents`, got: `${added.length}: ${show(left)}` })
  }
  return wrong
}

async function documentsOf(app: AppStore, name: string): Promise<{ id: string }[]> {
  const found: { id: string }[] = []
  for await (const one of app.collection(name as CollectionName).each()) found.push(one)
  return found
}
