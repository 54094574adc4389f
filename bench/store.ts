import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AppStore, Filter, WriteOperation } from '../server/store/port.ts'
import { openSqlite } from '../server/store/sqlite.ts'

/** One figure: half and 99 of 100 calls took no longer, in microseconds; or a plain amount. */
export interface StoreFigure {
  what: string
  p50Us?: number
  p99Us?: number
  amount?: number
}

export interface StoreBenchOptions {
  /** Default 1,000,000. A tenth of it in groups, as many users. */
  devices?: number
  log?: (line: string) => void
}

const deepest = 20
const scope = { tenant: 'bench', application: 'world' }

/**
 * Builds an application of groups nested 20 deep in a temporary folder, through the port, then measures what an end user's
 * requests ask of the store. The folder is removed.
 */
export async function run({
  devices = 1_000_000,
  log = () => undefined,
}: StoreBenchOptions = {}): Promise<StoreFigure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const file = join(folder, 'store.db')
  const store = await openSqlite({ file })
  const figures: StoreFigure[] = []
  const note = (figure: StoreFigure) => {
    figures.push(figure)
    log(JSON.stringify(figure))
  }
  try {
    const app = store.app(scope)
    const world = worldOf(devices)
    for (const [what, operations, amount] of world.loads) {
      const begun = performance.now()
      await load(app, operations)
      note({ what: `${what} loaded a second`, amount: Math.round((amount / (performance.now() - begun)) * 1000) })
    }
    note({ what: 'megabytes of the file', amount: Math.round((await stat(file)).size / 1e6) })
    await measureMatches(app, world, note)
    await measurePages(app, world, note)
    return figures
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

type Note = (figure: StoreFigure) => void
type World = ReturnType<typeof worldOf>

/** A tree of groups where each has up to four children, and one chain down to the deepest level. */
function worldOf(devices: number) {
  const groupCount = Math.max(Math.floor(devices / 10), 100)
  const random = randomOf(7)
  const groups: { id: string; parent: number; depth: number; below: number }[] = []
  for (let n = 0; n < groupCount; n += 1) {
    const parent = n === 0 ? -1 : n < deepest ? n - 1 : Math.floor((n - deepest) / 4)
    const above = groups[parent]
    const tooDeep = above !== undefined && above.depth >= deepest
    groups.push({
      id: idOf('a', n),
      parent: tooDeep ? 0 : parent,
      depth: tooDeep ? 2 : (above?.depth ?? 0) + 1,
      below: 1,
    })
  }
  for (let n = groupCount - 1; n > 0; n -= 1) {
    const { parent, below } = groups[n]!
    groups[parent]!.below += below
  }
  const ancestorsOf = (n: number): string[] => {
    const ids: string[] = []
    for (let at = groups[n]!.parent; at >= 0; at = groups[at]!.parent) ids.unshift(groups[at]!.id)
    return ids
  }
  function* groupOperations(): Generator<WriteOperation> {
    for (const [n, { id, parent }] of groups.entries()) {
      const document = {
        id,
        name: `Group ${Math.floor(random() * 1e9).toString(36)}`,
        parentId: groups[parent]?.id,
        ancestorIds: ancestorsOf(n),
        groupTags: {},
        deviceIds: [],
        deviceTags: [],
      }
      yield { insert: 'groups', document }
    }
  }
  function* deviceOperations(): Generator<WriteOperation> {
    for (let n = 0; n < devices; n += 1) {
      const groupIds = [groups[Math.floor(random() * groupCount)]!.id]
      if (n % 10 === 0) groupIds.push(groups[Math.floor(random() * groupCount)]!.id)
      const document = {
        id: idOf('d', n),
        name: `Device ${Math.floor(random() * 1e9).toString(36)}`,
        deviceClass: n % 20 === 0 ? 'gateway' : 'standalone',
        tags: [{ key: 'model', value: `m${n % 50}` }],
        attributes: [
          { name: 'temperature', dataType: 'number' as const, attributeTags: {} },
          { name: 'running', dataType: 'boolean' as const, attributeTags: {} },
        ],
        groupIds,
      }
      yield { insert: 'devices', document }
    }
  }
  function* userOperations(): Generator<WriteOperation> {
    for (let n = 0; n < groupCount; n += 1) {
      const email = `user${n}@example.com`
      const document = { id: idOf('e', n), email, emailKey: email, userTags: {}, experienceGroupIds: [groups[n]!.id] }
      yield { insert: 'users', document }
    }
  }
  const loads: [string, () => Generator<WriteOperation>, number][] = [
    ['groups', groupOperations, groupCount],
    ['users', userOperations, groupCount],
    ['devices', deviceOperations, devices],
  ]
  return { devices, groups, random, loads }
}

async function load(app: AppStore, operations: () => Generator<WriteOperation>) {
  let batch: WriteOperation[] = []
  for (const operation of operations()) {
    batch.push(operation)
    if (batch.length === 20_000) {
      await app.write(batch)
      batch = []
    }
  }
  await app.write(batch)
}

/** As `verify`: any user, any device; and a user against a device of the own groups. */
async function measureMatches(app: AppStore, { devices, groups, random }: World, note: Note) {
  const collection = app.collection('devices')
  const any = () => Math.floor(random() * groups.length)
  const times = await timed(20_000, () =>
    collection.matches(idOf('d', Math.floor(random() * devices)), { within: [groups[any()]!.id] }),
  )
  note({ what: 'matches, one group of a user', ...times })
  const root = await timed(20_000, () =>
    collection.matches(idOf('d', Math.floor(random() * devices)), { within: [groups[0]!.id] }),
  )
  note({ what: 'matches, user of the root', ...root })
  const five = await timed(20_000, () => {
    const within = Array.from({ length: 5 }, () => groups[any()]!.id)
    return collection.matches(idOf('d', Math.floor(random() * devices)), { within })
  })
  note({ what: 'matches, five groups of a user', ...five })
}

async function measurePages(app: AppStore, world: World, note: Note) {
  const collection = app.collection('devices')
  const sort = { field: 'name', direction: 'asc' } as const
  const share = (part: number) => closest(world, part)
  const users: [string, string[]][] = [
    ['leaf user', leaves(world, 200)],
    ['middle user (1,000)', [share(1000 / world.devices)]],
    ['middle user (3,000)', [share(3000 / world.devices)]],
    ['middle user (10,000)', [share(10_000 / world.devices)]],
    ['middle user (a tenth)', [share(0.1)]],
    ['root user', [world.groups[0]!.id]],
  ]
  for (const [who, ids] of users) {
    const filterOf = (n: number): Filter => ({ within: [ids[n % ids.length]!] })
    const count = await collection.count(filterOf(0))
    for (const limit of [20, 100]) {
      const times = await timed(200, (n) => collection.find({ filter: filterOf(n), sort, limit }))
      note({ what: `first page of ${limit}, ${who} of ${count} devices`, ...times })
    }
    note({ what: `count, ${who}`, ...(await timed(3, (n) => collection.count(filterOf(n)))) })
  }
  const root: Filter = { within: [world.groups[0]!.id] }
  const skip = Math.min(99_900, world.devices - 100)
  const deep = await timed(5, () => collection.find({ filter: root, sort, skip, limit: 100 }))
  note({ what: `page of 100 after ${skip}, root user`, ...deep })
  const tag: Filter = { tag: 'tags', key: { in: ['model'] }, value: { in: ['m7'] } }
  const both = { filter: { all: [root, tag] }, sort, limit: 100 }
  note({ what: 'first page of 100, root user and tag', ...(await timed(50, () => collection.find(both))) })
  note({ what: 'count of everything', ...(await timed(3, () => collection.count())) })
}

function leaves({ groups }: World, amount: number): string[] {
  return groups
    .filter(({ below }) => below === 1)
    .slice(-amount)
    .map(({ id }) => id)
}

/** The group whose part of all groups is closest to `part`. */
function closest({ groups }: World, part: number): string {
  const wanted = part * groups.length
  return groups.reduce((a, b) => (Math.abs(a.below - wanted) <= Math.abs(b.below - wanted) ? a : b)).id
}

async function timed(times: number, call: (n: number) => Promise<unknown>): Promise<{ p50Us: number; p99Us: number }> {
  const warming = times <= 10 ? 1 : times
  for (let n = 0; n < warming; n += 1) await call(n)
  const taken: number[] = []
  for (let n = 0; n < times; n += 1) {
    const begun = performance.now()
    await call(n)
    taken.push((performance.now() - begun) * 1000)
  }
  taken.sort((a, b) => a - b)
  const at = (part: number) => Math.round((taken[Math.min(Math.floor(part * times), times - 1)] ?? 0) * 10) / 10
  return { p50Us: at(0.5), p99Us: at(0.99) }
}

function idOf(kind: string, n: number): string {
  return kind + n.toString(16).padStart(23, '0')
}

/** The same numbers in each run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run({ devices: Number(process.argv[2] ?? 1_000_000), log: console.log })
}
