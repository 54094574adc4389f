import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openResources } from '../server/resources/resources.ts'
import type { AppStore, Store, WriteOperation } from '../server/store/port.ts'
import { openSqlite } from '../server/store/sqlite.ts'
import { tenancyWrite } from '../server/tenancy/write.ts'

/** One figure: half and 99 of 100 calls took no longer, in microseconds; or a plain amount. */
export interface TenancyFigure {
  what: string
  p50Us?: number
  p99Us?: number
  amount?: number
}

export interface TenancyBenchOptions {
  /** Default 1,000,000. A tenth of it in groups, each with one user; every group associates by a tag of its own. */
  devices?: number
  /** Empty; closed by whoever opened it. Default an embedded store in a temporary folder. */
  store?: Store
  /** Part of the usual number of calls that is timed; default 1. */
  share?: number
  log?: (line: string) => void
}

const deepest = 20

/**
 * Builds groups nested up to 20 deep and their devices through the rules of tenancy, then measures what requests ask and what
 * writes cost in that world. Uses a temporary folder, which is removed.
 */
export async function run({ store, ...options }: TenancyBenchOptions = {}): Promise<TenancyFigure[]> {
  if (store) return measure(store, options)
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const own = await openSqlite({ file: join(folder, 'store.db') })
  try {
    return await measure(own, options)
  } finally {
    await own.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(
  store: Store,
  { devices = 1_000_000, share = 1, log = () => undefined }: Omit<TenancyBenchOptions, 'store'>,
): Promise<TenancyFigure[]> {
  const figures: TenancyFigure[] = []
  const note = (figure: TenancyFigure) => {
    figures.push(figure)
    log(JSON.stringify(figure))
  }
  const app = store.app({ tenant: 'bench', application: 'a'.repeat(24) })
  const world = worldOf(devices)
  await load(app, 'groups', world.groupOperations(), note)
  await load(app, 'users', world.userOperations(), note)
  await load(app, 'devices', world.deviceOperations(), note)
  const timed: Timed = (times, call) => timeCalls(Math.max(Math.ceil(times * share), 1), call)
  await measureReads(app, { world, note, timed })
  await measureWrites(app, { world, note, timed })
  return figures
}

type Timed = typeof timeCalls
interface Measuring {
  world: World
  note: Note
  timed: Timed
}
type Note = (figure: TenancyFigure) => void
type World = ReturnType<typeof worldOf>

/** Each group has up to four children; one chain goes down to the deepest level. */
function worldOf(devices: number) {
  const groups = Math.max(Math.floor(devices / 10), 100)
  const parentOf = (n: number) => (n === 0 ? undefined : n < deepest ? n - 1 : Math.floor((n - deepest) / 4))
  const depths: number[] = []
  for (let n = 0; n < groups; n += 1) {
    const parent = parentOf(n)
    depths.push(parent === undefined ? 1 : depths[parent]! + 1)
  }
  const parents = depths.map((depth, n) => (depth > deepest ? 0 : parentOf(n)))
  const below: number[] = Array(groups).fill(1)
  for (let n = groups - 1; n > 0; n -= 1) below[parents[n]!]! += below[n]!
  return {
    devices,
    groups,
    parents,
    below,
    *groupOperations(): Generator<WriteOperation> {
      for (let n = 0; n < groups; n += 1) {
        const parent = parents[n]
        // Half by tags, half by a query: the two forms of applications in the field.
        const sources =
          n % 2 === 0
            ? { deviceTags: [{ key: 'group', value: idOf('a', n) }] }
            : { deviceTags: [], deviceQueryJson: queryOf(idOf('a', n)) }
        const document = {
          ...{ id: idOf('a', n), name: `Group ${n}`, parentId: parent === undefined ? undefined : idOf('a', parent) },
          ...{ ancestorIds: [], groupTags: {}, deviceIds: [], ...sources },
        }
        yield { insert: 'groups', document }
      }
    },
    *userOperations(): Generator<WriteOperation> {
      for (let n = 0; n < groups; n += 1) {
        const document = {
          email: `user${n}@example.com`,
          emailKey: '',
          userTags: {},
          experienceGroupIds: [idOf('a', n)],
        }
        yield { insert: 'users', document: { id: idOf('e', n), ...document } }
      }
    },
    *deviceOperations(): Generator<WriteOperation> {
      for (let n = 0; n < devices; n += 1) yield { insert: 'devices', document: deviceOf(n, groups) }
    },
  }
}

function deviceOf(n: number, groups: number) {
  const tags = [
    { key: 'group', value: idOf('a', (n * 7919) % groups) },
    { key: 'model', value: `m${n % 50}` },
  ]
  const attributes = [{ name: 'level', dataType: 'number' as const, attributeTags: {} }]
  const name = `Device ${((n * 2654435761) % 4294967296).toString(36)}`
  return { id: idOf('d', n), name, deviceClass: 'standalone', tags, attributes, groupIds: [] }
}

function queryOf(groupId: string): string {
  return JSON.stringify({ $and: [{ tags: { $eq: { $tagKey: 'group', $tagValue: groupId } } }] })
}

async function load(app: AppStore, what: string, operations: Iterable<WriteOperation>, note: Note): Promise<void> {
  const begun = performance.now()
  let batch: WriteOperation[] = []
  let amount = 0
  for (const operation of operations) {
    batch.push(operation)
    amount += 1
    if (batch.length === 10_000) {
      await tenancyWrite(app, batch)
      batch = []
    }
  }
  await tenancyWrite(app, batch)
  note({ what: `${what} written a second`, amount: Math.round((amount / (performance.now() - begun)) * 1000) })
}

async function measureReads(app: AppStore, { world, note, timed }: Measuring): Promise<void> {
  const { tenancy, devices } = openResources({ app, now: Date.now })
  const any = (most: number, n: number) => (n * 48271 + 11) % most
  const verify = (user: number, device: number) =>
    tenancy.verify({ device: idOf('d', device), subject: idOf('e', user), kind: 'experienceUser' })
  note({
    what: 'verify, any user',
    ...(await timed(20_000, (n) => verify(any(world.groups, n), any(world.devices, n + 5)))),
  })
  note({ what: 'verify, root user', ...(await timed(20_000, (n) => verify(0, any(world.devices, n)))) })
  const middle = closest(world, 0.01)
  const users = { leaf: world.groups - 1, middle, root: 0 }
  for (const [who, user] of Object.entries(users)) {
    const page = (withoutCount: boolean) =>
      devices.find({ by: 'user', idOrEmail: idOf('e', user) }, { perPage: 20, withoutCount }, {})
    const { totalCount } = await page(false)
    const whose = `${who} user of ${totalCount} devices`
    note({ what: `first page of 20, ${whose}`, ...(await timed(200, () => page(true))) })
    note({ what: `first page of 20 with its count, ${whose}`, ...(await timed(20, () => page(false))) })
  }
  const seen = (n: number) => tenancy.whoCanSee(idOf('d', any(world.devices, n)))
  note({ what: 'who can see a device', ...(await timed(1_000, seen)) })
}

async function measureWrites(app: AppStore, { world, note, timed }: Measuring): Promise<void> {
  const retag = (n: number) => {
    const tags = [{ key: 'group', value: idOf('a', (n * 31) % world.groups) }]
    return tenancyWrite(app, [{ update: 'devices', id: idOf('d', (n * 101) % world.devices), change: { tags } }])
  }
  note({ what: 'a device gets another tag', ...(await timed(500, retag)) })
  const requery = (n: number) => {
    const id = idOf('a', world.groups - 1 - n)
    return tenancyWrite(app, [{ update: 'groups', id, change: { deviceQueryJson: queryOf(idOf('a', n)) } }])
  }
  note({ what: 'a leaf group gets another query', ...(await timed(100, requery)) })
  const moved = idOf('a', closest(world, 0.01))
  const home = world.parents[closest(world, 0.01)]!
  const move = (n: number) => {
    const parentId = n % 2 === 0 ? undefined : idOf('a', home)
    return tenancyWrite(app, [{ update: 'groups', id: moved, change: { parentId } }])
  }
  note({ what: 'a hundredth of all groups moves', ...(await timed(6, move)) })
}

/** The group whose part of all groups is closest to `part`. */
function closest({ below, groups }: World, part: number): number {
  const far = (n: number) => Math.abs(below[n]! - part * groups)
  return below.reduce((best, _, n) => (far(n) < far(best) ? n : best), 0)
}

async function timeCalls(
  times: number,
  call: (n: number) => Promise<unknown>,
): Promise<{ p50Us: number; p99Us: number }> {
  for (let n = 0; n < Math.min(times / 10, 100); n += 1) await call(n)
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run({ devices: Number(process.argv[2] ?? 1_000_000), log: console.log })
}
