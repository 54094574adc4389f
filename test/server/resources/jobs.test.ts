import { expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { JobView } from '../../../nodes/services/jobs.ts'
import { openRunning } from './running.ts'

const headers = { 'x-forwarded-proto': 'https', host: 'shop.example.com:8443' }

/** Ann in the parent group, Ben in the child, Cid in none; each flow runs for one of them. */
async function openPeople() {
  const running = await openRunning()
  const parent = await running.groups.create({ name: 'Parent' })
  const child = await running.groups.create({ name: 'Child', parentId: parent.id })
  const make = async (email: string, experienceGroupIds: string[]) =>
    (await running.users.create({ email, password: 'correct-horse-1', experienceGroupIds })).id
  const ann = await make('ann@example.com', [parent.id])
  const ben = await make('ben@example.com', [child.id])
  const cid = await make('cid@example.com', [])
  const as = (id: string, data: Payload = {}) => ({ experience: { user: { id } }, data: { headers, ...data } })
  return { ...running, parent: parent.id, child: child.id, ann, ben, cid, as }
}

type People = Awaited<ReturnType<typeof openPeople>>

async function ask({ result, as }: People, user: string, config: Payload = {}): Promise<JobView> {
  return (await result('data-export', config, as(user))) as JobView
}

/** Ends a job, as a worker would. */
async function end({ app }: People, id: string, more: Payload = {}): Promise<void> {
  await app.collection('jobs').update(id, { status: 'done', endedAt: Date.UTC(2026, 0, 2), dueAt: undefined, ...more })
}

test('asks for the devices of who is logged in, from the beginning to now', async () => {
  const people = await openPeople()
  const job = await ask(people, people.ben)
  expect(job).toMatchObject({ kind: 'data-export', status: 'queued', output: null, error: null, endedAt: null })
  expect(job.progress).toEqual({ completed: 0, total: null, percent: null, status: '' })
  const stored = await people.app.collection('jobs').get(job.id)
  expect(stored).toMatchObject({ requestedBy: { type: 'experienceUser', id: people.ben } })
  expect(stored!.input).toEqual({
    subject: { kind: 'experienceUser', id: people.ben },
    ...{ start: 0, end: people.clock.now + 1, origin: 'https://shop.example.com:8443', mail: true },
  })
})

test('takes a range, attributes and the wish for no mail', async () => {
  const people = await openPeople()
  const config = { startTemplate: '-1000', endTemplate: '2025-01-01T00:00:00Z', attributes: ['a,b', 'a'], mail: false }
  const { id } = await ask(people, people.ben, { ...config, startTemplate: '1700000000000' })
  const { input } = (await people.app.collection('jobs').get(id))!
  const end = Date.UTC(2025, 0, 1)
  expect(input).toMatchObject({ start: 1_700_000_000_000, end, attributes: ['a', 'b'], mail: false })
  expect(await ask(people, people.ann, { ...config, endTemplate: '2001-01-01' })).toMatchObject({
    error: { type: 'Validation', message: expect.stringContaining('before the end') },
  })
})

test.each([
  ['the own group', 'ben', 'child'],
  ['the group below', 'ann', 'child'],
  ['the own group above', 'ann', 'parent'],
] as const)('gives %s', async (_, user, group) => {
  const people = await openPeople()
  const config = { idTypeTemplate: 'experienceGroup', idTemplate: people[group].toUpperCase() }
  expect(await ask(people, people[user], config)).toMatchObject({ status: 'queued' })
})

test('refuses groups above and beside, other users, and who is nobody, with one and the same answer', async () => {
  const people = await openPeople()
  const group = (idTemplate: string) => ({ idTypeTemplate: 'experienceGroup', idTemplate })
  const refused = [
    await ask(people, people.ben, group(people.parent)),
    await ask(people, people.cid, group(people.child)),
    await ask(people, people.ben, group('f'.repeat(24))),
    await ask(people, people.ben, group('')),
    await ask(people, people.ben, { idTemplate: people.ann }),
    await ask(people, people.ben, { idTemplate: 'nobody@example.com' }),
    await ask(people, '', {}),
    await ask(people, 'f'.repeat(24), {}),
  ]
  expect(new Set(refused.map((one) => JSON.stringify(one))).size).toBe(1)
  expect(refused[0]).toMatchObject({ error: { type: 'NotFound' } })
  expect(await people.app.collection('jobs').count()).toBe(0)
})

test.each(['', 'shop.example.com', 'javascript:alert(1)', 'file:///etc/passwd'])(
  'refuses %j as the address of the experience',
  async (baseUrlTemplate) => {
    const people = await openPeople()
    const asked = await people.result(
      'data-export',
      { baseUrlTemplate: baseUrlTemplate || '{{x}}' },
      people.as(people.ben),
    )
    expect(asked).toMatchObject({ error: { type: 'Validation' } })
  },
)

test('gives the export that is not done again, and a new one after it', async () => {
  const people = await openPeople()
  const first = await ask(people, people.ben)
  expect((await ask(people, people.ben)).id).toBe(first.id)
  expect(await ask(people, people.ben, { idTypeTemplate: 'experienceGroup', idTemplate: people.child })).toMatchObject({
    error: { type: 'RateLimit' },
  })
  expect((await ask(people, people.ann)).id).not.toBe(first.id)
  await end(people, first.id)
  const second = await ask(people, people.ben)
  expect(second.id).not.toBe(first.id)
  await end(people, second.id, { status: 'failed' })
  expect([first.id, second.id]).not.toContain((await ask(people, people.ben)).id)
})

test('gives two who ask at once the same job', async () => {
  const people = await openPeople()
  const jobs = await Promise.all([ask(people, people.ben), ask(people, people.ben), ask(people, people.ben)])
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1)
})

test('refuses the eleventh export of a user in an hour', async () => {
  const people = await openPeople()
  for (let n = 0; n < 10; n += 1) await end(people, (await ask(people, people.ben)).id)
  expect(await ask(people, people.ben)).toMatchObject({ error: { type: 'RateLimit' } })
  expect(await ask(people, people.ann)).toMatchObject({ status: 'queued' })
})

test('shows a job to who asked for it only, without the place of its blob', async () => {
  const people = await openPeople()
  const { id } = await ask(people, people.ben)
  const get = (user: string, jobIdTemplate: string) => people.result('job-get', { jobIdTemplate }, people.as(user))
  await people.app.collection('jobs').update(id, { progress: { completed: 1, total: 3, status: 'Device 2 of 3' } })
  expect(await get(people.ben, id)).toMatchObject({
    progress: { completed: 1, total: 3, percent: 33, status: 'Device 2 of 3' },
  })
  await end(people, id, { output: { blobKey: 'exports/1', devices: 3, downloadPath: `/_exports/${id}` } })
  expect(await get(people.ben, id.toUpperCase())).toMatchObject({
    ...{ status: 'done', output: { devices: 3, downloadPath: `/_exports/${id}` }, endedAt: '2026-01-02T00:00:00.000Z' },
  })
  expect(JSON.stringify(await get(people.ben, id))).not.toContain('exports/1"')
  for (const [user, job] of [
    [people.ann, id],
    [people.ben, 'f'.repeat(24)],
    [people.ben, ''],
    ['', id],
  ] as const) {
    expect(await get(user, job)).toBeNull()
  }
})

test('lists the jobs of a user, the newest first, of one kind or all', async () => {
  const people = await openPeople()
  const first = await ask(people, people.ben)
  await end(people, first.id)
  const list = async (user: string, kindTemplate = '') => {
    const jobs = await people.result('job-get', { findMultiple: true, kindTemplate }, people.as(user))
    return (jobs as JobView[]).map(({ id }) => id)
  }
  // Lists are by the millisecond.
  const { creationDate } = (await people.app.collection('jobs').get(first.id))!
  while (Date.now() <= creationDate) await new Promise((resolve) => setImmediate(resolve))
  const second = await ask(people, people.ben)
  expect(await list(people.ben)).toEqual([second.id, first.id])
  expect(await list(people.ben, 'data-export')).toEqual([second.id, first.id])
  expect(await list(people.ben, 'device-import')).toEqual([])
  expect(await list(people.ann)).toEqual([])
  expect(await list('')).toEqual([])
})

test('cancels a job of the own, and no other', async () => {
  const people = await openPeople()
  const { id } = await ask(people, people.ben)
  const cancel = (user: string) => people.visit('job-cancel', { jobIdTemplate: id, resultPath: 'out' }, people.as(user))
  expect(await cancel(people.ann)).toMatchObject({ output: 0, payload: { out: false } })
  expect((await people.app.collection('jobs').get(id))!.status).toBe('queued')
  expect(await cancel(people.ben)).toMatchObject({ output: 1, payload: { out: true } })
  expect((await people.app.collection('jobs').get(id))!.status).toBe('canceled')
  expect(await cancel(people.ben)).toMatchObject({ output: 0 })
})
