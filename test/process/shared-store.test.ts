import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { openResources } from '../../server/resources/resources.ts'
import { openStore } from '../../server/store/open.ts'
import type { AppStore, Store } from '../../server/store/port.ts'
import { type Client, clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { shared } from '../helpers/stacks.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { openPrivateMongo } from '../services/mongo.ts'
import { openPrivateRedis } from '../services/redis.ts'
import { type Cli, cli, root } from './server-process.ts'

const host = 'generators.localhost'
const [norcal, ops, admin] = ['norcal@tekton.example', 'ops@sadler.example', 'global@tekton.example']
const secrets = { SECRET_KEY: 'k'.repeat(64), JOB_LEASE_MS: '2000' }
const closing: (() => Promise<void>)[] = []

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The application in a store, imported by a process of its own, and a handle on it as of one more process. */
async function imported(env: Record<string, string>): Promise<{ store: Store; app: AppStore }> {
  const example = join(root, 'examples/generators')
  const done = cli(['import', example, '--slug', 'generators', '--password', PASSWORD], await settings(env))
  expect(await done.ended, done.err.join('\n')).toBe(0)
  const store = await openStore(env.STORE_URL, '')
  closing.push(() => store.close())
  return { store, app: store.app((await store.hosts.find('generators'))!.scope) }
}

const settings = async (env: Record<string, string>) => ({ ...secrets, ...env, DATA_DIR: await temporaryFolder() })
const start = async (env: Record<string, string>) => cli(['start'], await settings(env))

async function signedIn(server: Cli, email: string): Promise<Client> {
  const client = clientOf(await server.port(), host)
  expect(await client.login(email, PASSWORD)).toMatchObject({ status: 302 })
  return client
}

/** A session works at any process. */
async function at(server: Cli, session: Client): Promise<Client> {
  const client = clientOf(await server.port(), host)
  for (const [name, value] of session.cookies) client.cookies.set(name, value)
  return client
}

async function namesOf(client: Client): Promise<string[]> {
  const answer = await client.get('/api/devices')
  expect(answer.status, answer.text).toBe(200)
  return (JSON.parse(answer.text) as { name: string }[]).map(({ name }) => name.replace(/ Generator.*/, ''))
}

const seen = (names: string[]) => [...new Set(names)].sort().join(', ')

describe.skipIf(!shared)('two web processes', () => {
  test('give no stale answer while groups and tags move, and hear of a new flow version, under load', async () => {
    const env = shared!.env()
    const { app } = await imported(env)
    const { groups, devices, users } = openResources({ app, now: () => Date.now() })
    const idOf = async (name: string) => (await groups.find({ by: 'name', name }, {})).items[0]!.id
    const [site, north, pacific] = [
      await idOf('San Bruno'),
      await idOf('California Northern'),
      await idOf('Pacific Northwest'),
    ]
    const webs = [await start({ ...env, ROLE: 'web' }), await start({ ...env, ROLE: 'web' })]
    const [one, two] = [await signedIn(webs[0]!, norcal), await signedIn(webs[1]!, ops)]
    const clients = {
      norcal: [one, await at(webs[1]!, one)],
      ops: [await at(webs[0]!, two), two],
    }
    const load = { on: true, failed: 0 }
    const busy = [...clients.norcal, ...clients.ops].map(async (client) => {
      while (load.on) if ((await client.get('/api/devices')).status !== 200) load.failed += 1
    })
    const [device] = (await devices.find({ by: 'group', groupId: site }, {}, {})).items
    for (let round = 1; round <= 8; round++) {
      const here = round % 2 === 0
      await groups.update(site, { parentId: here ? north : pacific })
      // Acknowledged: whoever asks now, wherever he asks, sees it.
      const answers = await Promise.all([...clients.norcal, ...clients.ops].map(namesOf))
      const home = here ? 'Oakland, Sacramento, San Bruno' : 'Oakland, Sacramento'
      const away = here ? 'Boise, Tacoma' : 'Boise, San Bruno, Tacoma'
      expect(answers.map(seen)).toEqual([home, home, away, away])
      const one = await Promise.all(
        [...clients.norcal, ...clients.ops].map((client) => client.get(`/api/devices/${device!.id}`)),
      )
      expect(one.map(({ status }) => status)).toEqual(here ? [200, 200, 404, 404] : [404, 404, 200, 200])
    }
    await users.update(ops, { experienceGroupIds: [] })
    expect(await Promise.all(clients.ops.map(namesOf))).toEqual([[], []])
    const flow = await app.collection('flows').first({ field: 'name', op: 'eq', value: 'API devices' })
    const version = await app.collection('flowVersions').first({ field: 'flowId', op: 'eq', value: flow!.id })
    await app.collection('flowVersions').update(version!.id, { enabled: false })
    expect(
      (await Promise.all(clients.norcal.map((client) => client.get('/api/devices')))).map(({ status }) => status),
    ).toEqual([504, 504])
    await app.collection('flowVersions').update(version!.id, { enabled: true })
    expect((await Promise.all(clients.norcal.map(namesOf))).map((names) => names.length)).toEqual([9, 9])
    load.on = false
    await Promise.all(busy)
  }, 120_000)
})

describe.skipIf(!shared)('a store that goes away', () => {
  test('gives 503 and when to come again; nothing acknowledged is lost, and all goes on without a restart', async () => {
    const mongo = await openPrivateMongo()
    closing.push(() => mongo.close())
    const env = { STORE_URL: `${mongo.url}headgate` }
    const { app } = await imported(env)
    const server = await start(env)
    const client = await signedIn(server, admin)
    const group = (await app.collection('groups').first({ field: 'name', op: 'eq', value: 'San Bruno' }))!.id
    const acknowledged: string[] = []
    const statuses = new Set<number>()
    const load = { on: true }
    const reading = (async () => {
      while (load.on) {
        const answer = await client.get('/api/devices')
        statuses.add(answer.status)
        if (answer.status === 503) expect(answer.headers['retry-after']).toBe('5')
      }
    })()
    const writing = (async () => {
      for (let n = 0; load.on; n++) {
        const email = `person-${n}@tekton.example`
        const answer = await client.send({
          ...{ method: 'POST', path: '/admin/users' },
          json: { email, password: PASSWORD, groupId: group },
        })
        statuses.add(answer.status)
        if (answer.status === 201) acknowledged.push(email)
      }
    })()
    await vi.waitUntil(() => acknowledged.length >= 2, { timeout: 20_000 })
    const before = acknowledged.length
    await mongo.kill()
    await vi.waitUntil(() => statuses.has(503), { timeout: 20_000 })
    const port = await server.port()
    const admins = clientOf(port, 'localhost')
    expect((await admins.get('/healthz')).status).toBe(200)
    expect(await admins.get('/readyz')).toMatchObject({
      status: 503,
      text: expect.stringContaining('"missing":["store"]'),
    })
    await mongo.start()
    await vi.waitUntil(() => acknowledged.length >= before + 2, { timeout: 40_000 })
    load.on = false
    await Promise.all([reading, writing])
    expect([...statuses].filter((status) => ![200, 201, 409, 503].includes(status))).toEqual([])
    expect((await admins.get('/readyz')).status).toBe(200)
    const emails: string[] = []
    for await (const user of app.collection('users').each()) emails.push(user.email)
    expect(emails).toEqual(expect.arrayContaining(acknowledged))
    expect(server.child.exitCode).toBeNull()
  }, 120_000)
})

describe.skipIf(!shared)('a Redis that goes away', () => {
  test('delays jobs, loses none, and is taken up again', async () => {
    const redis = await openPrivateRedis()
    closing.push(() => redis.close())
    const env = { STORE_URL: shared!.env().STORE_URL!, REDIS_URL: redis.url }
    await imported(env)
    const web = await start({ ...env, ROLE: 'web' })
    const folder = await temporaryFolder()
    const worker = cli(['start'], { ...(await settings({ ...env, ROLE: 'worker' })), DATA_DIR: folder })
    const port = await web.port()
    await worker.port()
    const client = clientOf(port, host)
    const admins = clientOf(port, 'localhost')
    const mails = async () =>
      (await readdir(join(folder, 'outbox')).catch(() => [])).filter((name) => name.endsWith('.eml')).length
    const forgot = async (email: string) => {
      const answer = await client.send({ method: 'POST', path: '/forgot-password', form: { email } })
      expect(answer.status).toBeLessThan(400)
    }
    await forgot(norcal)
    await vi.waitUntil(async () => (await mails()) === 1, { timeout: 20_000, interval: 50 })
    await redis.kill()
    await forgot(ops)
    await forgot(admin)
    await vi.waitUntil(async () => (await mails()) === 3, { timeout: 20_000, interval: 50 })
    expect(await admins.get('/readyz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('"missing":["queue"]'),
    })
    await redis.start()
    await vi.waitUntil(async () => (await admins.get('/readyz')).text.includes('"missing":[]'), {
      timeout: 20_000,
      interval: 50,
    })
    await forgot('support@kanarra.example')
    await vi.waitUntil(async () => (await mails()) === 4, { timeout: 20_000, interval: 50 })
    await wait(200)
    expect(await mails()).toBe(4)
  }, 120_000)
})

describe.skipIf(!shared)('a worker that is killed', () => {
  test('in the middle of a flow: another runs it again, once, and the timers go on', async () => {
    const env = shared!.env()
    const { app } = await imported(env)
    const content = {
      triggers: [{ type: 'virtualButton', key: 'press', config: {}, meta: {}, outputIds: [['count']] }],
      nodes: [
        {
          id: 'count',
          type: 'StoreValueNode',
          config: { keyName: 'starts', valueType: 'incr', value: '1' },
          meta: {},
          outputIds: [['slow']],
        },
        { id: 'slow', type: 'DelayNode', config: { delay: '3' }, meta: {}, outputIds: [['end']] },
        {
          id: 'end',
          type: 'StoreValueNode',
          config: { keyName: 'ends', valueType: 'incr', value: '1' },
          meta: {},
          outputIds: [[]],
        },
      ],
      globals: [],
    }
    const { id: flowId } = await app
      .collection('flows')
      .insert({ name: 'Slow', flowClass: 'cloud', enabled: true, content })
    const first = await start({ ...env, ROLE: 'worker' })
    await first.port()
    const { openJobs } = await import('../../server/jobs/jobs.ts')
    const jobs = openJobs({ app, now: () => Date.now(), wake: () => undefined, nudge: () => undefined })
    const relay = { type: 'user', id: '0'.repeat(24) }
    const input = { flowId, triggerKey: 'press', triggerType: 'virtualButton', index: 0, triggerId: 'press' }
    const job = await jobs.add({ kind: 'run', input: { ...input, time: Date.now(), data: {}, relay, depth: 0 } })
    await vi.waitUntil(async () => (await jobs.get(job.id))?.status === 'running', { timeout: 20_000, interval: 20 })
    await wait(500)
    first.child.kill('SIGKILL')
    await first.ended
    const second = await start({ ...env, ROLE: 'worker' })
    await second.port()
    await vi.waitUntil(async () => (await jobs.get(job.id))?.status === 'done', { timeout: 40_000, interval: 100 })
    expect(await jobs.get(job.id)).toMatchObject({ attempts: 2, output: { status: 'done' } })
    const values = await app.values.entries(`flow:${flowId}`)
    expect(values).toMatchObject({ starts: 2, ends: 1 })
    // The simulation of the example fires every ten seconds; its schedule outlives its worker.
    expect(await app.collection('schedules').count()).toBe(1)
  }, 120_000)
})
