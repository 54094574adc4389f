import { expect, test } from 'vitest'
import { exportJob } from '../../../server/jobs/export.ts'
import type { ExportInput, ExportOutput } from '../../../server/jobs/export-document.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { type AppStore, type Blobs, type StatePoint, type Store, StoreError } from '../../../server/store/port.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { shared } from '../../helpers/stacks.ts'
import { openTestMongo, openTestSqlite } from '../../helpers/store.ts'
import { bytesOf, unzip } from './unzip.ts'
import { openMember, own, reaches, until } from './world.ts'

const [group, user] = ['a', 'b'].map((kind) => kind.repeat(24)) as [string, string]
const pointsEach = 500
const full = () => new StoreError('full', 'No room on the disk')

/** A user with three devices, each with history that does not pack well. */
async function prepare(store: Store): Promise<AppStore> {
  const app = store.app(own)
  const tags = [{ key: 'group', value: group }]
  const email = 'user1@example.com'
  await tenancyWrite(app, [
    { insert: 'application', document: { id: own.application, name: 'App', globals: [], secret: 's' } },
    {
      insert: 'groups',
      document: { ...{ id: group, name: 'All', ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: tags } },
    },
    { insert: 'users', document: { id: user, email, emailKey: email, userTags: {}, experienceGroupIds: [group] } },
    ...[1, 2, 3].map((n) => ({
      insert: 'devices' as const,
      document: {
        id: String(n).repeat(24),
        name: `D${n}`,
        deviceClass: 'standalone',
        tags,
        attributes: [],
        groupIds: [],
      },
    })),
  ])
  for (const n of [1, 2, 3]) {
    const point = (time: number): StatePoint => ({ deviceId: String(n).repeat(24), time, data: { v: Math.random() } })
    await app.telemetry.append(Array.from({ length: pointsEach }, (_, time) => point(time)))
  }
  return app
}

type Fault = 'in the middle' | 'at the end' | 'after the archive' | 'and nothing can be removed' | undefined

/** The store, whose blobs fail at one place in each attempt, as a full disk does. */
function failing(store: Store, faults: Fault[]): { store: Store; keys: Set<string> } {
  const keys = new Set<string>()
  const over = (blobs: Blobs): Blobs => ({
    ...blobs,
    async put(key, content) {
      keys.add(key)
      const fault = key.endsWith('.lines') ? undefined : faults[0]
      if (key.endsWith('.lines') || content instanceof Uint8Array) return await blobs.put(key, content)
      faults.shift()
      const kept = await blobs.put(
        key,
        fault === 'after the archive' || fault === undefined ? content : cut(content, fault),
      )
      if (fault === 'after the archive') throw full()
      return kept
    },
    async remove(key) {
      // To remove takes room, too.
      if (faults.length > 0 && removalsFail.has(key)) throw full()
      await blobs.remove(key)
    },
  })
  const removalsFail = new Set<string>()
  async function* cut(content: AsyncIterable<Uint8Array>, fault: Fault): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      yield piece
      if (fault === 'and nothing can be removed') for (const key of keys) removalsFail.add(key)
      if (fault !== 'at the end') throw full()
    }
    if (fault === 'at the end') throw full()
  }
  return {
    keys,
    store: {
      ...store,
      app(scope) {
        const app = store.app(scope)
        return { ...app, blobs: over(app.blobs) }
      },
    },
  }
}

const stores: [string, () => Promise<Store>][] = [
  ['SQLite', openTestSqlite],
  ...(shared ? [['MongoDB', openTestMongo] as [string, () => Promise<Store>]] : []),
]

function work(store: Store, { mostAttempts }: { mostAttempts?: number } = {}) {
  const mails: unknown[] = []
  const member = openMember({ store, dispatch: openLocalDispatch(), lookMs: 50 })
  const told = exportJob({ now: Date.now, jobsOf: (app) => member.queue.of(app) })
  member.queue.work([
    // What is tested is that it is tried again, not how long it waits before.
    { ...told, backoffMs: { first: 10, most: 20 }, ...(mostAttempts ? { mostAttempts } : {}) },
    { kind: 'mail', run: async ({ input }) => void mails.push(input) as undefined },
  ])
  const ask = async () => {
    const input: ExportInput = {
      ...{ subject: { kind: 'experienceUser', id: user }, start: 0, end: 8.64e15 },
      ...{ origin: 'https://a.example', mail: true },
    }
    return (await member.jobs.add({ kind: 'data-export', input, requestedBy: { type: 'experienceUser', id: user } })).id
  }
  return { ...member, mails, ask }
}

test.each(stores)(
  'on %s a disk that is full again and again leaves one whole archive and one mail',
  async (_, open) => {
    const store = await open()
    const app = await prepare(store)
    const faults: Fault[] = ['in the middle', 'at the end', 'after the archive', 'and nothing can be removed']
    const count = faults.length
    const faulty = failing(store, faults)
    const { ask, jobs, mails } = work(faulty.store)
    const job = await reaches(jobs, await ask(), 'done')
    expect(job).toMatchObject({ status: 'done', attempts: count + 1 })
    await until(
      () => mails.length,
      (length) => length > 0,
    )
    const output = job.output as ExportOutput
    const files = await unzip(await bytesOf(await app.blobs.read(output.blobKey)))
    expect(JSON.parse(files.at(-1)!.text).counts).toEqual({ devices: 3, files: 4, points: 3 * pointsEach })
    // What attempts could not remove under their keys was never whole, so it is under none.
    const archives = [...faulty.keys].filter((key) => !key.endsWith('.lines'))
    expect(archives).toHaveLength(count + 1)
    for (const key of archives) {
      expect((await app.blobs.read(key)) !== undefined, key).toBe(key === output.blobKey)
    }
    expect(mails).toHaveLength(1)
  },
  60_000,
)

test.each(stores)(
  'on %s a disk that stays full fails the export, without archive and without mail',
  async (_, open) => {
    const store = await open()
    const app = await prepare(store)
    const faulty = failing(
      store,
      Array.from({ length: 10 }, () => 'in the middle' as const),
    )
    const { ask, jobs, mails } = work(faulty.store, { mostAttempts: 2 })
    const job = await reaches(jobs, await ask(), 'failed')
    expect(job.attempts).toBe(2)
    expect(job.output).toBeUndefined()
    expect(JSON.stringify(job.error)).not.toContain('disk')
    for (const key of faulty.keys) expect(await app.blobs.read(key), key).toBeUndefined()
    expect(await app.collection('jobs').count({ field: 'kind', op: 'eq', value: 'mail' })).toBe(0)
    expect(mails).toEqual([])
    // There is room again, and a person has it tried once more.
    const roomy = work(store)
    expect(await roomy.jobs.retry(job.id)).toBe(true)
    await reaches(roomy.jobs, job.id, 'done')
  },
  60_000,
)
