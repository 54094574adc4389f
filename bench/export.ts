import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pino from 'pino'
import { exportJob } from '../server/jobs/export.ts'
import type { ExportInput, ExportOutput } from '../server/jobs/export-document.ts'
import { openLocalDispatch } from '../server/jobs/local-dispatch.ts'
import { openQueue } from '../server/jobs/queue.ts'
import type { AppStore, StatePoint, WriteOperation } from '../server/store/port.ts'
import { openSqlite } from '../server/store/sqlite.ts'
import { type Figure, round } from './figure.ts'
import type { Effort } from './rounds.ts'

interface Size {
  devices: number
  /** Of each device; each holds a number, a truth and a position. */
  points: number
}

/** One export. Memory: most above what the process had before, private to it, in MB; the pages of the store's file are the system's. */
interface Measured {
  seconds: number
  privateMb: number
  residentMb: number
  archiveMb: number
}

const usual: Size[] = [
  { devices: 20, points: 5_000 },
  { devices: 20, points: 50_000 },
  { devices: 1_000, points: 100 },
  { devices: 20_000, points: 10 },
]
const quick: Size[] = [
  { devices: 20, points: 5_000 },
  { devices: 1_000, points: 100 },
]
const full: Size[] = [{ devices: 100_000, points: 100 }]

const scope = { tenant: 'bench', application: 'e'.repeat(24) }
const [group, user] = ['a', 'b'].map((kind) => kind.repeat(24)) as [string, string]
const now = () => Date.now()

/** Data exports over the embedded store, each in a process of its own: rows a second, and the memory that it takes. */
export async function run(effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const size of effort.quick ? quick : usual) figures.push(...(await figuresOf(size)))
  return figures
}

async function figuresOf(size: Size): Promise<Figure[]> {
  const { seconds, privateMb, residentMb, archiveMb } = await measure(size)
  const points = size.devices * size.points
  const what = `export: ${round(size.devices)} devices, ${round(points)} points`
  return [
    {
      what: `${what}, points a second`,
      figure: `${round(points / seconds)} (${round(seconds)} s, ${round(archiveMb)} MB)`,
    },
    { what: `${what}, most memory more`, figure: `${round(privateMb)} MB private, ${round(residentMb)} MB resident` },
  ]
}

async function measure(size: Size): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const file = join(folder, 'store.db')
  try {
    await build(file, size)
    // A process of its own: what built the world has left its memory full of it.
    const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, 'work', file])
    return JSON.parse(stdout) as Measured
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function build(file: string, { devices, points }: Size): Promise<void> {
  const store = await openSqlite({ file })
  const app = store.app(scope)
  const email = 'user1@example.com'
  await app.write([
    { insert: 'application', document: { id: scope.application, name: 'Bench', globals: [], secret: 's' } },
    {
      insert: 'groups',
      document: {
        ...{ id: group, name: 'All', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [] },
      },
    },
    {
      insert: 'users',
      document: { id: user, email, emailKey: email, userTags: {}, experienceGroupIds: [group] },
    },
  ])
  for (let first = 0; first < devices; first += 5_000) {
    await app.write(Array.from({ length: Math.min(5_000, devices - first) }, (_, n) => device(first + n)))
  }
  let batch: StatePoint[] = []
  for (let n = 0; n < devices; n += 1) {
    for (let point = 0; point < points; point += 1) batch.push(pointOf(n, point))
    if (batch.length < 20_000 && n < devices - 1) continue
    await app.telemetry.append(batch)
    batch = []
  }
  await store.close()
}

const idOf = (n: number) => `d${n.toString(16).padStart(23, '0')}`

function device(n: number): WriteOperation {
  const attributes = [
    { name: 'celsius', dataType: 'number' as const, attributeTags: {} },
    { name: 'running', dataType: 'boolean' as const, attributeTags: {} },
    { name: 'position', dataType: 'gps' as const, attributeTags: {} },
  ]
  const tags = [
    { key: 'site', value: `site ${n % 100}` },
    { key: 'model', value: `m${n % 7}` },
  ]
  const document = {
    id: idOf(n),
    name: `Generator ${n}`,
    deviceClass: 'standalone',
    tags,
    attributes,
    groupIds: [group],
  }
  return { insert: 'devices', document }
}

function pointOf(n: number, point: number): StatePoint {
  const data = {
    celsius: 20 + ((n * 7 + point * 13) % 1_000) / 100,
    running: point % 3 > 0,
    position: `37.${n},-122.${point}`,
  }
  return { deviceId: idOf(n), time: 1_700_000_000_000 + point * 60_000, data }
}

/** Exports everything in the file, and prints what it took. */
async function work(file: string): Promise<void> {
  const store = await openSqlite({ file })
  const app = store.app(scope)
  const queue = openQueue({ store, dispatch: openLocalDispatch(), now, log: pino({ level: 'warn' }) })
  const jobsOf = (of: AppStore) => queue.of(of)
  const subject = { kind: 'experienceUser' as const, id: user }
  const input: ExportInput = { subject, start: 0, end: now(), origin: 'https://example.com', mail: false }
  const requestedBy = { type: 'experienceUser', id: user }
  const { id } = await jobsOf(app).add({ kind: 'data-export', input, requestedBy })
  const before = memory()
  const most = { ...before }
  const begun = performance.now()
  queue.work([exportJob({ now, jobsOf })])
  let job = await app.collection('jobs').get(id)
  while (job?.status === 'queued' || job?.status === 'running') {
    await wait(20)
    const taken = memory()
    most.privateMb = Math.max(most.privateMb, taken.privateMb)
    most.residentMb = Math.max(most.residentMb, taken.residentMb)
    job = await app.collection('jobs').get(id)
  }
  const seconds = (performance.now() - begun) / 1_000
  if (job?.status !== 'done') throw new Error(`Expected an archive, got ${JSON.stringify(job)}`)
  const measured: Measured = {
    ...{ seconds, archiveMb: (job.output as ExportOutput).sizeBytes / 1e6 },
    privateMb: most.privateMb - before.privateMb,
    residentMb: most.residentMb - before.residentMb,
  }
  process.stdout.write(JSON.stringify(measured))
  await queue.close()
  await store.close()
}

function memory(): { privateMb: number; residentMb: number } {
  const text = readFileSync('/proc/self/status', 'utf8')
  const mb = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6
  return { privateMb: mb('RssAnon'), residentMb: mb('VmRSS') }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [what, file = ''] = process.argv.slice(2)
  if (what === 'work') await work(file)
  // Minutes, most of them for making the world.
  else
    for (const size of full) for (const figure of await figuresOf(size)) console.log(`${figure.what}: ${figure.figure}`)
}
