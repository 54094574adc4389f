import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
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

/** `of`: points of each device that are exported, one export for each; default all. */
interface World extends Size {
  of?: number[]
}

const usual: World[] = [
  { devices: 20, points: 50_000, of: [5_000, 50_000] },
  { devices: 1_000, points: 100 },
  { devices: 20_000, points: 10 },
]
const quick: World[] = [
  { devices: 20, points: 5_000 },
  { devices: 1_000, points: 100 },
]
/** A million points, three and ten: memory is to be the same for all. Minutes, most of them for making the worlds. */
const full: World[] = [
  { devices: 20, points: 500_000, of: [50_000, 150_000, 500_000] },
  { devices: 100_000, points: 100, of: [10, 30, 100] },
]

const scope = { tenant: 'bench', application: 'e'.repeat(24) }
const [group, user] = ['a', 'b'].map((kind) => kind.repeat(24)) as [string, string]
const now = () => Date.now()

/** Data exports over the embedded store, each in a process of its own: rows a second, and the memory that it takes. */
export async function run(effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = []
  const worlds = effort.full ? full : effort.quick ? quick : usual
  for (const world of worlds) {
    for await (const figure of figuresOf(world)) {
      // Somebody waits for minutes.
      if (effort.full) console.error(`${figure.what}: ${figure.figure}`)
      figures.push(figure)
    }
  }
  return figures
}

async function* figuresOf({ of, ...size }: World): AsyncGenerator<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const file = join(folder, 'store.db')
  try {
    await build(file, size)
    for (const each of of ?? [size.points]) {
      const { seconds, privateMb, residentMb, archiveMb } = await watch(file, each)
      const points = size.devices * each
      const what = `export: ${round(size.devices)} devices, ${round(points)} points`
      const took = `${round(points / seconds)} (${round(seconds)} s, ${round(archiveMb)} MB)`
      yield { what: `${what}, points a second`, figure: took }
      const memory = `${round(privateMb)} MB private, ${round(residentMb)} MB resident`
      yield { what: `${what}, most memory more`, figure: memory }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Exports what is in the file in a process of its own: what built the world has left its memory full of it. It is looked at from
 * outside, since what keeps its thread would keep it from looking at itself.
 */
async function watch(file: string, points: number): Promise<Measured> {
  const args = [import.meta.filename, file, String(points)]
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(worker, 'exit')
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]()
  if ((await lines.next()).done) throw new Error('Expected the worker to begin, but it ended')
  const before = memoryOf(worker.pid!)
  const most = { ...before }
  const looking = setInterval(() => {
    const taken = memoryOf(worker.pid!)
    most.privateMb = Math.max(most.privateMb, taken.privateMb)
    most.residentMb = Math.max(most.residentMb, taken.residentMb)
  }, 10)
  const last = await lines.next()
  clearInterval(looking)
  await ended
  if (last.done) throw new Error('Expected an archive, but the worker ended')
  const measured = JSON.parse(last.value) as Pick<Measured, 'seconds' | 'archiveMb'>
  const more = { privateMb: most.privateMb - before.privateMb, residentMb: most.residentMb - before.residentMb }
  return { ...measured, ...more }
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

const timeOf = (point: number) => 1_700_000_000_000 + point * 60_000

function pointOf(n: number, point: number): StatePoint {
  const data = {
    celsius: 20 + ((n * 7 + point * 13) % 1_000) / 100,
    running: point % 3 > 0,
    position: `37.${n},-122.${point}`,
  }
  return { deviceId: idOf(n), time: timeOf(point), data }
}

/** Exports so many points of each device in the file; prints a line as it begins, then what it took. */
async function work(file: string, points: number): Promise<void> {
  const store = await openSqlite({ file })
  const app = store.app(scope)
  const queue = openQueue({ store, dispatch: openLocalDispatch(), now, log: pino({ level: 'warn' }) })
  const jobsOf = (of: AppStore) => queue.of(of)
  const subject = { kind: 'experienceUser' as const, id: user }
  const input: ExportInput = { subject, start: 0, end: timeOf(points), origin: 'https://example.com', mail: false }
  const requestedBy = { type: 'experienceUser', id: user }
  const { id } = await jobsOf(app).add({ kind: 'data-export', input, requestedBy })
  console.log('begins')
  // Until it has been looked at.
  await wait(200)
  const begun = performance.now()
  queue.work([exportJob({ now, jobsOf })])
  let job = await app.collection('jobs').get(id)
  while (job?.status === 'queued' || job?.status === 'running') {
    await wait(20)
    job = await app.collection('jobs').get(id)
  }
  const seconds = (performance.now() - begun) / 1_000
  if (job?.status !== 'done') throw new Error(`Expected an archive, got ${JSON.stringify(job)}`)
  console.log(JSON.stringify({ seconds, archiveMb: (job.output as ExportOutput).sizeBytes / 1e6 }))
  await queue.close()
  await store.close()
}

/** Of a process, in MB; nothing of one that has just ended. */
function memoryOf(pid: number): { privateMb: number; residentMb: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024) / 1e6
  return { privateMb: mb('RssAnon'), residentMb: mb('VmRSS') }
}

if (import.meta.main) await work(process.argv[2] ?? '', Number(process.argv[3]))
