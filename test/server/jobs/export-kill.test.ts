import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import type { ExportOutput } from '../../../server/jobs/export-document.ts'
import { newId } from '../../../server/store/id.ts'
import { openStore } from '../../../server/store/open.ts'
import type { AppStore, StatePoint } from '../../../server/store/port.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { embedded, type Stack, shared } from '../../helpers/stacks.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { openExports } from './export-world.ts'
import { bytesOf, unzip } from './unzip.ts'

const application = 'a'.repeat(24)

interface Size {
  devices: number
  pointsEach: number
}

/** A user whose group associates all devices, each with some history, and an export that waits. */
async function prepare(app: AppStore, { devices, pointsEach }: Size): Promise<string> {
  await app.collection('application').insert({ id: application, name: 'Test', globals: [], secret: 's' })
  const [group, user] = [newId(), newId()]
  const tags = [{ key: 'group', value: group }]
  const email = 'user1@example.com'
  await tenancyWrite(app, [
    {
      insert: 'groups',
      document: {
        ...{ id: group, name: 'All', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: tags },
      },
    },
    {
      insert: 'users',
      document: { id: user, email, emailKey: email, userTags: {}, experienceGroupIds: [group] },
    },
    ...Array.from({ length: devices }, (_, n) => ({
      insert: 'devices' as const,
      document: { name: `Device ${n}`, deviceClass: 'standalone', tags, attributes: [], groupIds: [] },
    })),
  ])
  for await (const { id: deviceId } of app.collection('devices').each()) {
    const point = (time: number): StatePoint => ({ deviceId, time, data: { value: Math.random() } })
    await app.telemetry.append(Array.from({ length: pointsEach }, (_, time) => point(time)))
  }
  return (await openExports(app, Date.now).ask(user)).id
}

/** A worker in a process of its own; killed when `kill` says so of a line that it prints. */
async function work(
  { file, outbox, env }: { file: string; outbox: string; env: Record<string, string> },
  kill: (line: string) => boolean,
): Promise<string[]> {
  const worker = join(import.meta.dirname, 'export-worker.ts')
  const child = spawn(process.execPath, [worker, file, outbox, application], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  const closed = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (kill(line)) child.kill('SIGKILL')
  }
  await closed
  return lines
}

// A lease is longer where a look at the store takes longer.
const worlds: [Stack, Size & { leaseMs: number }][] = [
  [embedded, { devices: 40, pointsEach: 2_000, leaseMs: 600 }],
  ...(shared
    ? [[shared, { devices: 12, pointsEach: 300, leaseMs: 3_000 }] as [Stack, Size & { leaseMs: number }]]
    : []),
]

test.each(worlds.map(([stack, size]) => ({ on: stack.name, stack, size })))(
  'on $on an export whose worker is killed again and again ends with one whole archive and one mail',
  async (given) => {
    const { stack, size } = given
    const { devices, pointsEach } = size
    const folder = await temporaryFolder()
    const env: Record<string, string> = { DATA_DIR: folder, LEASE_MS: String(size.leaseMs), ...stack.env() }
    const at = { file: join(folder, 'headgate.db'), outbox: join(folder, 'outbox'), env }
    const { outbox } = at
    const open = async () => {
      const store = await openStore(env.STORE_URL, at.file)
      return { store, app: store.app({ tenant: 't1', application }) }
    }
    const before = await open()
    const jobId = await prepare(before.app, size)
    await before.store.close()

    // At its start, after some devices, while the list is written, and once at a moment that nobody chose.
    const places = ['started', 'progress 1', `progress ${devices / 2}`, `progress ${devices}`]
    for (const place of places) {
      const lines = await work(at, (line) => line.startsWith(place))
      expect(lines.at(-1)).not.toBe('ended')
    }
    let seen = 0
    const moment = Math.floor(Math.random() * 100)
    await work(at, (line) => line.startsWith('progress') && seen++ === moment)
    const lines = await work(at, () => false)
    expect(lines.at(-1)).toBe('ended')

    const { store, app } = await open()
    const job = (await app.collection('jobs').get(jobId))!
    expect(job).toMatchObject({ status: 'done', progress: { completed: devices } })
    expect(job.attempts).toBeGreaterThanOrEqual(places.length)
    const output = job.output as ExportOutput
    const files = await unzip(await bytesOf(await app.blobs.read(output.blobKey)))
    const manifest = JSON.parse(files.at(-1)!.text)
    expect(manifest.counts).toEqual({ devices, files: devices + 1, points: devices * pointsEach })
    expect(manifest.files).toHaveLength(files.length - 1)
    for (const { path, sha256, sizeBytes } of manifest.files) {
      expect(files.find((one) => one.path === path)).toMatchObject({ sha256, sizeBytes })
    }
    const mails = (await readdir(outbox)).filter((name) => name.endsWith('.eml'))
    expect(mails).toHaveLength(1)
    expect(await readFile(join(outbox, mails[0]!), 'utf8')).toContain(`/_exports/${jobId}`)
    // Nothing of the attempts that were killed lies under a key, and each has a clean-up in the line.
    const cleanups = await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'export-cleanup' } })
    expect(cleanups.length).toBeGreaterThanOrEqual(2)
    for (const { input } of cleanups) {
      const { blobKey } = input as { blobKey: string }
      const isArchive = blobKey === output.blobKey
      expect((await app.blobs.read(blobKey)) !== undefined, blobKey).toBe(isArchive)
      if (isArchive) expect(await app.blobs.read(`${blobKey}.lines`)).toBeUndefined()
    }
    await store.close()
  },
  120_000,
)
