import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { openResources } from '../../server/resources/resources.ts'
import type { CollectionName } from '../../server/store/documents.ts'
import type { AppStore, Store } from '../../server/store/port.ts'
import { openSqlite } from '../../server/store/sqlite.ts'
import { type Client, clientOf } from '../helpers/client.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { endpoint, envelope, experienceFlow, ref } from '../server/bundle/small-app.ts'
import { cli, root } from './server-process.ts'

const PASSWORD = 'correct-horse-1'
/** A busy machine gets through fewer than the dozen rounds. */
const mostMs = 40_000
const host = 'generators.localhost'

/** What an import makes: it must be the same however often a start was cut short. */
const made: CollectionName[] = ['devices', 'groups', 'endpoints', 'views', 'flows', 'flowVersions', 'files', 'origins']
let whole: Record<string, number>
let folder: string

// One more endpoint for the example: it reports a number of a device.
const probe = {
  'probe-endpoints.yaml': envelope('ExperienceEndpoint', endpoint('post', '/probe')),
  'probe.yaml': envelope(
    'ExperienceFlowVersion',
    experienceFlow('probe', {
      triggers: [
        {
          ...{ key: ref('experienceEndpoint', 'post-probe'), type: 'endpoint', config: {}, meta: {} },
          outputIds: [['report']],
        },
      ],
      nodes: [
        {
          ...{ id: 'report', type: 'DeviceChangeStateNode', meta: {}, outputIds: [['reply']] },
          config: {
            ...{ deviceId: '{{data.body.device}}', attrDataMethod: 'individualFields', timeSourceType: 'payloadPath' },
            ...{ timeSourcePath: 'data.body.time' },
            attrInfos: [{ key: 'fuelPercent', valueTemplate: '{{data.body.value}}' }],
          },
        },
        {
          ...{ id: 'reply', type: 'EndpointReplyNode', meta: {}, outputIds: [[]] },
          config: {
            replyType: 'custom',
            responseCodeTemplate: '201',
            bodyTemplateType: 'path',
            bodyTemplate: 'working',
          },
        },
      ],
    }),
  ),
}

beforeAll(async () => {
  folder = join(await temporaryFolder(), 'generators')
  await cp(join(root, 'examples/generators'), folder, { recursive: true })
  for (const [name, text] of Object.entries(probe)) await writeFile(join(folder, name), text)
})

const start = (dataDir: string) => cli(['start', '--app', folder, '--password', PASSWORD], { DATA_DIR: dataDir })

async function inStore<T>(dataDir: string, use: (app: AppStore, store: Store) => Promise<T>): Promise<T> {
  const store = await openSqlite({ file: join(dataDir, 'headgate.db') })
  try {
    return await use(store.app((await store.hosts.find('generators'))!.scope), store)
  } finally {
    await store.close()
  }
}

async function countsOf(app: AppStore): Promise<Record<string, number>> {
  const counts = await Promise.all(made.map(async (name) => [name, await app.collection(name).count()] as const))
  return Object.fromEntries(counts)
}

interface Acknowledged {
  users: { email: string; groupId: string }[]
  reports: { time: number; value: number }[]
  /** Sent, not answered: they may be there or not. */
  open: Set<string>
}

describe('after kill -9', () => {
  test('nothing that was acknowledged is lost, and nothing is there twice', { timeout: 80_000 }, async () => {
    const dataDir = await temporaryFolder()
    const kept: Acknowledged = { users: [], reports: [], open: new Set() }
    const starts: number[] = []
    let device = ''
    let groups: Record<string, string> = {}
    const stopAt = performance.now() + mostMs
    for (let round = 0, last = false; !last; round++) {
      last = round === 12 || performance.now() > stopAt
      const began = performance.now()
      const server = start(dataDir)
      const port = await server.port()
      starts.push(performance.now() - began)
      await inStore(dataDir, async (app) => {
        if (round === 0) {
          whole = await countsOf(app)
          for await (const { id, name } of app.collection('groups').each()) groups = { ...groups, [name]: id }
          device = (await app.collection('devices').first({ field: 'name', op: 'ne', value: '' }))!.id
        }
        await checkWhole(app, device, kept)
      })
      const newest = kept.users.at(-1)
      if (newest) {
        const client = clientOf(port, host)
        expect(await client.login(newest.email, 'A-first-password')).toMatchObject({ status: 302 })
        expect(JSON.parse((await client.get('/api/devices?perPage=100')).text)).toHaveLength(
          newest.groupId === groups.Oakland ? 3 : 4,
        )
      }
      if (last) break
      const admin = clientOf(port, host)
      expect(await admin.login('norcal@tekton.example', PASSWORD)).toMatchObject({ status: 302 })
      const writers = [
        addUsers(admin, { round, groups: [groups.Oakland!, groups['San Bruno']!] }, kept),
        report(clientOf(port, host), { round, device }, kept),
      ]
      await wait(100 + Math.random() * 400)
      server.child.kill('SIGKILL')
      await Promise.all(writers)
      expect(await server.ended).toBe('SIGKILL')
    }
    console.log(
      `${kept.users.length} users and ${kept.reports.length} reports acknowledged in ${starts.length - 1} rounds; first start ${starts[0]!.toFixed(0)} ms, restart ${median(starts.slice(1)).toFixed(0)} ms`,
    )
    expect(kept.users.length).toBeGreaterThan(0)
    expect(kept.reports.length).toBeGreaterThan(20)
  })

  test('in the middle of the first import the next start is whole', { timeout: 40_000 }, async () => {
    for (let round = 0; round < 4; round++) {
      const dataDir = await temporaryFolder()
      for (let kill = 0; kill < 2; kill++) {
        const server = start(dataDir)
        await wait(150 + Math.random() * 600)
        server.child.kill('SIGKILL')
        await server.ended
      }
      const port = await start(dataDir).port()
      await inStore(dataDir, async (app, store) => {
        expect(await countsOf(app)).toEqual(whole)
        expect(await store.applications()).toEqual([app.scope])
      })
      expect(await clientOf(port, host).login('norcal@tekton.example', PASSWORD)).toMatchObject({ status: 302 })
    }
  })
})

async function checkWhole(app: AppStore, device: string, kept: Acknowledged): Promise<void> {
  expect(await countsOf(app)).toEqual(whole)
  const { tenancy } = openResources({ app, now: () => Date.now() })
  const users = app.collection('users')
  const emails = new Set<string>()
  for await (const { email } of users.each()) emails.add(email)
  for (const { email, groupId } of kept.users) {
    emails.delete(email)
    expect(await users.first({ field: 'emailKey', op: 'eq', value: email })).toMatchObject({
      ...{ experienceGroupIds: [groupId], passwordHash: expect.stringContaining('argon2id') },
    })
  }
  // The six of the example, and those whose answer was cut off.
  expect([...emails].filter((one) => !kept.open.has(one))).toHaveLength(6)
  const telemetry = {
    deviceId: device,
    attribute: 'fuelPercent',
    start: 0,
    end: Number.MAX_SAFE_INTEGER,
    limit: 25_000,
  }
  const points = new Map((await app.telemetry.range(telemetry)).map(({ time, value }) => [time, value]))
  for (const { time, value } of kept.reports) expect(points.get(time)).toBe(value)
  const devices = await app.collection('devices').find({ limit: 1_000 })
  for await (const { id, email } of users.each()) {
    const list = await app.collection('devices').find({ filter: await tenancy.devicesOfUser(id), limit: 1_000 })
    const verified: string[] = []
    for (const one of devices) {
      if (await tenancy.verify({ device: one.id, subject: id, kind: 'experienceUser' })) verified.push(one.id)
    }
    expect({ email, devices: verified }).toEqual({ email, devices: list.map((one) => one.id) })
  }
}

// Until the server is gone.
async function addUsers(client: Client, to: { round: number; groups: string[] }, kept: Acknowledged): Promise<void> {
  for (let number = 0; ; number++) {
    const email = `u${to.round}-${number}@tekton.example`
    const groupId = to.groups[number % 2]!
    kept.open.add(email)
    const body = { email, password: 'A-first-password', groupId }
    const answer = await client.send({ method: 'POST', path: '/admin/users', json: body }).catch(() => undefined)
    if (answer === undefined) return
    expect(answer).toMatchObject({ status: 201 })
    kept.users.push({ email, groupId })
  }
}

async function report(client: Client, to: { round: number; device: string }, kept: Acknowledged): Promise<void> {
  for (let number = 0; ; number++) {
    const time = Date.UTC(2026, 0, 1) + to.round * 1_000_000 + number
    const body = { device: to.device, time, value: number }
    const answer = await client.send({ method: 'POST', path: '/probe', json: body }).catch(() => undefined)
    if (answer === undefined) return
    expect(answer).toMatchObject({ status: 201 })
    kept.reports.push({ time, value: number })
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
