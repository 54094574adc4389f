import { beforeEach, describe, expect, test } from 'vitest'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { openImports } from '../../../server/resources/jobs-import.ts'
import { openTestWorld, type TestWorld } from './world.ts'

const user = 'u@example.com'
let world: TestWorld
let importDevices: ReturnType<typeof openImports>['importDevices']

beforeEach(async () => {
  world = await openTestWorld()
  const { app, tenancy, clock } = world
  const now = () => clock.now
  const jobs = openJobs({ app, now, wake: () => undefined, nudge: () => undefined })
  importDevices = openImports({ app, now, tenancy, jobs }).importDevices
  await makeUser(user)
})

const makeUser = (email: string) =>
  world.app.collection('users').insert({ email, emailKey: email, userTags: {}, experienceGroupIds: [] })
const jobsOf = () => world.app.collection('jobs').find({ limit: 1_000 })

async function blobOf(key: string): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  const content = await world.app.blobs.read(key)
  if (content === undefined) return undefined
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('keeps the text beside the job, and says how many rows there are', async () => {
  const csv = 'name,serial\nA,1\n\n"B\nC",2\n'
  const view = await importDevices({
    csv,
    requestedBy: user,
    tags: [{ key: 'group', value: 'g' }],
    matchTag: ' serial',
  })
  expect(view).toMatchObject({ kind: 'device-import', status: 'queued', output: null })
  const [job] = await jobsOf()
  const { id } = (await world.users.get(user))!
  expect(job).toMatchObject({ id: view.id, requestedBy: { type: 'experienceUser', id } })
  expect(job!.input).toMatchObject({ rows: 2, tags: [{ key: 'group', value: 'g' }], matchTag: 'serial' })
  expect(await blobOf((job!.input as { csv: string }).csv)).toBe(csv)
})

describe('refuses before anything is queued', () => {
  const header = (columns: string) => `${columns}\n${'x,'.repeat(5)}\n`

  test('every problem of the header at once', async () => {
    const tags = [{ key: 'group', value: 'g' }]
    const csv = header('serial,serial,group,a b,,=cmd')
    const refused = importDevices({ csv, requestedBy: user, tags, matchTag: 'mac' })
    await expect(refused).rejects.toMatchObject({ name: 'Refusal', type: 'Validation' })
    const message = await refused.then(String, (error: Error) => error.message)
    for (const part of [
      'column 2: "serial" is there twice',
      'column 3: "group" is set by the import',
      'column 4: expected letters, digits, "_" or "-", got "a b"',
      'column 5: expected a name, got nothing',
      'column 6: expected letters',
      'expected a column "name"',
      'expected a column "mac"',
    ]) {
      expect(message).toContain(part)
    }
  })

  test.each<[string, object, RegExp]>([
    ['nothing', { csv: '' }, /a header and a row, got nothing/],
    ['only blanks', { csv: '\uFEFF\r\n \r\n' }, /got nothing/],
    ['no row', { csv: 'name\n\n' }, /got no row/],
    ['semicolons', { csv: 'name;serial\na;b\n' }, /separated by commas/],
    ['a quote that stays open', { csv: 'name\nA\n"B\nC\n' }, /Row 3 .* never closed/],
    ['a row without end', { csv: `name\n${'x'.repeat(140_000)}\n` }, /Row 2 .* longer than/],
    ['a header without end', { csv: 'a,'.repeat(200_000) }, /cannot be read|at most 100 columns/],
    ['101 columns', { csv: header(['name', ...Array.from({ length: 100 }, (_, n) => `c${n}`)].join()) }, /100 columns/],
    ['more than 10 MB', { csv: `name\n${'x\n'.repeat(6 << 20)}` }, /at most 10485760 bytes/],
    [
      'more than 10 MB of letters that take two bytes',
      { csv: `name\n${'é'.repeat(6 << 20)}` },
      /at most 10485760 bytes/,
    ],
    ['100,001 rows', { csv: `name\n${'x\n'.repeat(100_001)}` }, /at most 100000 rows/],
    ['a recipe that does not exist', { csv: header('name'), recipeId: 'f'.repeat(24) }, /recipeId/],
    ['a tag that cannot be', { csv: header('name'), tags: [{ key: 'a b', value: 'x' }] }, /tags/],
    ['a tag to find by that cannot be', { csv: header('name'), matchTag: '{}' }, /matchTag/],
    ['an unknown user', { csv: header('name'), requestedBy: 'nobody@example.com' }, /user who asks/],
    ['no user', { csv: header('name'), requestedBy: '' }, /user who asks/],
  ])('%s', async (_, request, message) => {
    const asking = importDevices({ csv: '', requestedBy: user, tags: [], ...request })
    await expect(asking).rejects.toMatchObject({ name: 'Refusal', message: expect.stringMatching(message) })
    expect(await jobsOf()).toEqual([])
  })

  test('a recipe whose gateway is gone', async () => {
    const template = { deviceClass: 'peripheral', gatewayId: 'f'.repeat(24) }
    const { id } = await world.app.collection('recipes').insert({ name: 'Sensor', template })
    const asking = importDevices({ csv: header('name'), requestedBy: user, tags: [], recipeId: id })
    await expect(asking).rejects.toThrow(/gatewayId of the recipe/)
  })
})

test('other work goes on while a large text is read', async () => {
  const csv = `name,serial\n${Array.from({ length: 100_000 }, (_, n) => `Device ${n},S${n}\n`).join('')}`
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  expect(await importDevices({ csv, requestedBy: user, tags: [] })).toMatchObject({ status: 'queued' })
  clearInterval(timer)
  // Without a pause in the reading there is none; how many there are depends on the machine.
  expect(turns).toBeGreaterThan(1)
  expect((await jobsOf())[0]!.input).toMatchObject({ rows: 100_000 })
})

test('a user begins at most 20 imports an hour; the text of one that failed goes after an hour', async () => {
  const start = () => importDevices({ csv: 'name\nA\n', requestedBy: user, tags: [] })
  const { id } = await start()
  const { csv } = (await jobsOf())[0]!.input as { csv: string }
  for (let n = 1; n < 20; n += 1) await start()
  await expect(start()).rejects.toMatchObject({ type: 'RateLimit' })
  await makeUser('v@example.com')
  await importDevices({ csv: 'name\nA\n', requestedBy: 'v@example.com', tags: [] })
  const failedAt = world.clock.now
  await world.app.collection('jobs').update(id, { status: 'failed', endedAt: failedAt, dueAt: undefined })
  expect(await blobOf(csv)).toBe('name\nA\n')
  // Dates of documents are the store's own: its clock goes on by itself.
  world.clock.now = Date.now() + 3_600_001
  await start()
  expect(await blobOf(csv)).toBeUndefined()
})
