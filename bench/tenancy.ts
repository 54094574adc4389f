import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PageRequest } from '../nodes/services/listing.ts'
import { openResources } from '../server/resources/resources.ts'
import { newId } from '../server/store/id.ts'
import type { AppStore, Store, WriteOperation } from '../server/store/port.ts'
import { openSqlite } from '../server/store/sqlite.ts'
import { tenancyWrite } from '../server/tenancy/write.ts'
import { closest, deviceOf, idOf, queryOf, type World, worldOf } from './tenancy-world.ts'

/**
 * One figure: half and 99 of 100 calls took no longer, in microseconds, and what a call took of the processor, which says more on a
 * machine that has other work; or a plain amount.
 */
export interface TenancyFigure {
  what: string
  p50Us?: number
  p99Us?: number
  cpuUs?: number
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
  // Places of devices are read into memory by the first questions after a start.
  for (let n = 0; n < 1_000; n += 1) await verify(0, any(world.devices, n))
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
    await measureFar(app, { whose, user: idOf('e', user), note, timed })
  }
  const seen = (n: number) => tenancy.whoCanSee(idOf('d', any(world.devices, n)))
  note({ what: 'who can see a device', ...(await timed(1_000, seen)) })
}

/** What is not found at the start of the order of names, and what else is asked of a list. */
async function measureFar(
  app: AppStore,
  { whose, user, note, timed }: { whose: string; user: string; note: Note; timed: Timed },
): Promise<void> {
  const { devices } = openResources({ app, now: Date.now })
  const page = (request: PageRequest, query?: object) => {
    const criteria = query
      ? ({ by: 'query', query: { $and: [{ experienceUserId: user }, query] } } as const)
      : ({ by: 'user', idOrEmail: user } as const)
    return devices.find(criteria, { perPage: 20, withoutCount: true, ...request }, {})
  }
  for (const sortField of ['creationDate', 'lastUpdated', 'connectionStatus']) {
    note({ what: `first page by ${sortField}, ${whose}`, ...(await timed(20, () => page({ sortField }))) })
  }
  note({ what: `page 5,000, ${whose}`, ...(await timed(3, () => page({ page: 5_000 }))) })
  const model = { tags: { $eq: { $tagKey: 'model', $tagValue: 'm1' } } }
  const last = { name: { $startsWith: 'Device z' } }
  const nowhere = { name: { $contains: 'nowhere' } }
  note({ what: `first page of one model, ${whose}`, ...(await timed(20, () => page({}, model))) })
  note({ what: `first page of the last names, ${whose}`, ...(await timed(20, () => page({}, last))) })
  note({ what: `a name that nothing has, ${whose}`, ...(await timed(2, () => page({}, nowhere))) })
  note({ what: `count of one model, ${whose}`, ...(await timed(2, () => page({ perPage: 0 }, model))) })
}

async function measureWrites(app: AppStore, { world, note, timed }: Measuring): Promise<void> {
  const retag = (n: number) => {
    const tags = [{ key: 'group', value: idOf('a', (n * 31) % world.groups) }]
    return tenancyWrite(app, [{ update: 'devices', id: idOf('d', (n * 101) % world.devices), change: { tags } }])
  }
  note({ what: 'a device gets another tag', ...(await timed(500, retag)) })
  const connect = (n: number) => {
    const connection = { connected: 1 as const, time: n }
    return tenancyWrite(app, [{ update: 'devices', id: idOf('d', (n * 103) % world.devices), change: { connection } }])
  }
  note({ what: 'a device connects', ...(await timed(500, connect)) })
  for (const size of [1, 100, 1_000]) {
    const create = (n: number) => {
      const numbers = Array.from({ length: size }, (_, at) => world.devices + size * 10_000 + n * size + at)
      const documents = numbers.map((one) => ({ ...deviceOf(one, world.groups), id: newId() }))
      return tenancyWrite(
        app,
        documents.map((document) => ({ insert: 'devices', document })),
      )
    }
    note({ what: `${size} devices are created at once`, ...(await timed(10, create)) })
  }
  const requery = (n: number) => {
    const id = idOf('a', world.groups - 1 - n)
    return tenancyWrite(app, [{ update: 'groups', id, change: { deviceQueryJson: queryOf(idOf('a', n)) } }])
  }
  note({ what: 'a leaf group gets another query', ...(await timed(100, requery)) })
  for (const [part, which] of [
    ['thousandth', 0.001],
    ['hundredth', 0.01],
    ['tenth', 0.1],
  ] as const) {
    const moved = closest(world, which)
    const home = world.parents[moved]!
    const move = (n: number) => {
      const parentId = n % 2 === 0 ? undefined : idOf('a', home)
      return tenancyWrite(app, [{ update: 'groups', id: idOf('a', moved), change: { parentId } }])
    }
    const what = `a ${part} of all groups moves, ${world.below[moved]}`
    note({ what, ...(await timed(4, move)) })
  }
}

async function timeCalls(
  times: number,
  call: (n: number) => Promise<unknown>,
): Promise<{ p50Us: number; p99Us: number; cpuUs: number }> {
  for (let n = 0; n < Math.min(times / 10, 100); n += 1) await call(n)
  const taken: number[] = []
  const before = process.cpuUsage()
  for (let n = 0; n < times; n += 1) {
    const begun = performance.now()
    await call(n)
    taken.push((performance.now() - begun) * 1000)
  }
  const { user, system } = process.cpuUsage(before)
  const cpuUs = Math.round(((user + system) / times) * 10) / 10
  taken.sort((a, b) => a - b)
  const at = (part: number) => Math.round((taken[Math.min(Math.floor(part * times), times - 1)] ?? 0) * 10) / 10
  return { p50Us: at(0.5), p99Us: at(0.99), cpuUs }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await run({ devices: Number(process.argv[2] ?? 1_000_000), log: console.log })
}
