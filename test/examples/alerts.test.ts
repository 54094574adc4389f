import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openResources } from '../../server/resources/resources.ts'
import type { EventDocument } from '../../server/store/documents/devices.ts'
import type { AppStore } from '../../server/store/port.ts'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer } from '../helpers/server.ts'
import { type Stack, stacks } from '../helpers/stacks.ts'
import { temporaryFolder } from '../helpers/store.ts'

const SETTLED = { timeout: 30_000, interval: 50 }
/** A flow is started for one device thirty times in fifteen seconds, and one excursion is opened once in five. */
const REPORTING = { timeout: 30_000, interval: 800 }
const [support, global, norcal, sanbruno] = [
  'support@kanarra.example',
  'global@tekton.example',
  'norcal@tekton.example',
  'sanbruno@tekton.example',
]
const [sandiego, ops] = ['sandiego@tekton.example', 'ops@sadler.example']

for (const stack of stacks) {
  describe(`alerts of the generators on ${stack.name}`, { timeout: 60_000 }, () => {
    let world: World

    beforeAll(async () => {
      world = await openWorld(stack)
    })
    afterAll(() => world.running.close())

    test('an excursion is one event and one mail to each who sees the device, and the next is another', async () => {
      const { report, openEvents, mailed } = world
      await report('San Bruno Generator 1', { running: true, coolantTempC: 116 })
      expect(await openEvents()).toMatchObject([{ subject: 'Coolant is too hot', level: 'critical', state: 'new' }])
      expect((await mailed()).sort()).toEqual([global, norcal, sanbruno, support])
      for (const mail of await world.mails()) {
        expect(mail).toContain('Subject: Critical: San Bruno Generator 1, Coolant is too hot')
        const id = await world.device('San Bruno Generator 1')
        expect(mail).toContain(`http://generators.localhost:3000/devicedetails?deviceId=${id}"`)
      }

      for (const coolantTempC of [118, 104, 101, 106]) await report('San Bruno Generator 1', { coolantTempC })
      expect(await openEvents()).toHaveLength(1)
      expect(await mailed()).toHaveLength(4)

      await report('San Bruno Generator 1', { coolantTempC: 99 })
      expect(await openEvents()).toEqual([])
      expect(await mailed()).toHaveLength(4)

      await expect
        .poll(async () => {
          await report('San Bruno Generator 1', { coolantTempC: 117 })
          return (await openEvents()).length
        }, REPORTING)
        .toBe(1)
      expect(await mailed()).toHaveLength(8)
      await report('San Bruno Generator 1', { coolantTempC: 80 })
      expect(await openEvents()).toEqual([])
    })

    test('a value that is old, of another kind of device or no excursion opens nothing', async () => {
      const before = await world.mailed()
      const anHourAgo = Date.now() - 3_600_000
      await world.report('San Bruno Generator 2', [{ time: anHourAgo, data: { coolantTempC: 120 } }])
      await world.report('San Bruno Generator 2', { coolantTempC: 90, fuelPercent: 70, batteryVolts: 27 })
      expect(await world.openEvents()).toEqual([])
      expect(await world.mailed()).toEqual(before)
    })

    test('reports that come at the same moment open one event', async () => {
      await world.aMinutePasses()
      const before = (await world.mailed()).length
      await Promise.all(Array.from({ length: 6 }, () => world.report('Boise Generator 1', { coolantTempC: 113 })))
      expect(await world.openEvents()).toHaveLength(1)
      expect((await world.mailed()).slice(before)).toHaveLength(2)
      await world.report('Boise Generator 1', { coolantTempC: 90 })
    })

    test('an event is shown to those who see its device, and only they can say that they take care', async () => {
      const { report, openEvents, mailed, signedIn } = world
      await world.aMinutePasses()
      await report('Anaheim Generator 2', { fuelPercent: 6 })
      const [event, other] = await openEvents()
      expect([event!.subject, other!.subject].sort()).toEqual(['Almost out of fuel', 'Fuel is low'])
      const before = await mailed()
      for (const email of [norcal, sanbruno, sandiego, ops]) {
        const client = await signedIn(email)
        for (const path of ['/alerts', '/']) expect((await client.get(path)).text).not.toContain('Anaheim')
        const answer = await client.send({ method: 'POST', path: '/alerts/acknowledge', form: { eventId: event!.id } })
        expect(answer).toMatchObject({ status: 302, headers: { location: '/alerts?gone=yes' } })
      }
      expect((await openEvents()).map(({ state, updates }) => [state, updates.length])).toEqual(
        Array(2).fill(['new', 0]),
      )

      const client = await signedIn(global)
      expect((await client.get('/')).text).toContain('2 open alerts')
      expect((await client.get('/alerts')).text).toContain('Anaheim Generator 2')
      const form = { eventId: event!.id, from: 'device' }
      const answer = await client.send({ method: 'POST', path: '/alerts/acknowledge', form })
      const details = `/devicedetails?deviceId=${event!.deviceId}`
      expect(answer).toMatchObject({ status: 302, headers: { location: details } })
      expect((await client.get(details)).text).toContain('Acknowledged')
      const states = new Map((await openEvents()).map(({ id, state }) => [id, state]))
      expect([states.get(event!.id), states.get(other!.id)]).toEqual(['acknowledged', 'new'])

      await report('Anaheim Generator 2', { fuelPercent: 5 })
      expect(await openEvents()).toHaveLength(2)
      await report('Anaheim Generator 2', { fuelPercent: 97 })
      expect(await openEvents()).toEqual([])
      expect(await mailed()).toEqual(before)
      expect((await client.get('/alerts')).text).toMatch(/All is well[\s\S]*Past[\s\S]*Anaheim Generator 2/)
    })

    test('a person hears of the levels that they choose', async () => {
      const { mailed, signedIn, report } = world
      await world.aMinutePasses()
      const client = await signedIn(ops)
      const choose = async (levels: string) => {
        const saved = await client.send({ method: 'POST', path: '/account', form: { levels } })
        expect(saved).toMatchObject({ status: 302, headers: { location: '/account?saved=yes' } })
      }
      await choose('warning')
      const before = (await mailed()).length
      await report('Tacoma Generator 1', { fuelPercent: 15 })
      expect((await mailed()).slice(before)).toEqual([ops])
      await report('Tacoma Generator 1', { fuelPercent: 7 })
      expect((await mailed()).slice(before)).toEqual([ops, support])
      await report('Tacoma Generator 1', { fuelPercent: 90 })
      await choose('critical')
    })

    const changes: { name: string; device: string; make(world: World): Promise<unknown>; hear: string[] }[] = [
      {
        name: 'nothing is changed',
        device: 'San Bruno Generator 2',
        make: async () => undefined,
        hear: [support, global, norcal, sanbruno],
      },
      {
        name: 'a foreign user joins a group above',
        device: 'San Bruno Generator 3',
        make: (w) => w.join(sandiego, ['San Diego', 'California Northern']),
        hear: [support, global, norcal, sanbruno, sandiego],
      },
      {
        name: 'he leaves it, and the site moves to another customer',
        device: 'San Bruno Generator 4',
        async make(w) {
          await w.join(sandiego, ['San Diego'])
          await w.resources.groups.update(await w.group('San Bruno'), { parentId: await w.group('Pacific Northwest') })
        },
        hear: [support, sanbruno, ops],
      },
      {
        name: 'the site moves back, and the device is tagged with another site',
        device: 'San Bruno Generator 1',
        async make(w) {
          await w.resources.groups.update(await w.group('San Bruno'), {
            parentId: await w.group('California Northern'),
          })
          const tags = [
            { key: 'class', value: 'generator' },
            { key: 'group', value: await w.group('San Diego') },
          ]
          await w.resources.devices.update(await w.device('San Bruno Generator 1'), { tags }, {})
        },
        hear: [support, global, sandiego],
      },
      {
        name: 'the device belongs to no site',
        device: 'San Bruno Generator 2',
        async make(w) {
          const tags = [{ key: 'class', value: 'generator' }]
          await w.resources.devices.update(await w.device('San Bruno Generator 2'), { tags }, {})
        },
        hear: [],
      },
    ]
    test.each(changes)('exactly those hear of a device who see it when $name', async ({ device, make, hear }) => {
      await make(world)
      await world.aMinutePasses()
      const before = (await world.mailed()).length
      await expect
        .poll(async () => {
          await world.report(device, { coolantTempC: 120 })
          return (await world.openEvents()).length
        }, REPORTING)
        .toBe(1)
      const heard = (await world.mailed()).slice(before).sort()
      expect(heard).toEqual(hear.toSorted())
      expect(heard).toEqual(await world.whoSees(device))
      await world.report(device, { coolantTempC: 80 })
    })

    test('nothing went wrong on the server meanwhile', () => {
      expect(world.running.log.filter(({ level }) => Number(level) >= 40)).toEqual([])
    })
  })
}

type World = Awaited<ReturnType<typeof openWorld>>

/** A server with the generators, without simulated readings, and an endpoint that reports what it is sent. */
async function openWorld(stack: Stack) {
  const running = await startServer({ folders: [await reportingCopy()], stack })
  const { scope, host } = running.applications[0]!
  const app = running.store.app(scope)
  const resources = openResources({ app, now: Date.now })
  const client = clientOf(running.port, host)
  const outbox = join(running.config.dataDir, 'outbox')
  const byName = async (collection: 'devices' | 'groups', value: string) =>
    (await app.collection(collection).first({ field: 'name', op: 'eq', value }))!.id

  const mails = async () => {
    await settled(app)
    const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml')).sort()
    const texts = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
    return texts.map((text) => text.replace(/=\r?\n/g, '').replaceAll('=3D', '='))
  }
  return {
    ...{ running, app, resources, mails },
    device: (name: string) => byName('devices', name),
    group: (name: string) => byName('groups', name),
    /** Reports as a device does; resolves once all that this starts is done. */
    async report(name: string, data: unknown) {
      const deviceId = await byName('devices', name)
      const answer = await client.send({ method: 'POST', path: '/test/report', json: { deviceId, data } })
      expect(answer).toMatchObject({ status: 200, text: 'reported' })
      await settled(app)
    },
    /** Receivers of all mails so far, in the order of their mails. */
    async mailed() {
      return (await mails()).map((mail) => /^To: (.+)\r?$/m.exec(mail)![1]!.trim())
    },
    async openEvents() {
      const events: EventDocument[] = []
      for await (const one of app.collection('events').each()) if (one.state !== 'resolved') events.push(one)
      return events
    },
    async whoSees(name: string) {
      const device = await byName('devices', name)
      const seeing: string[] = []
      for await (const { id, email } of app.collection('users').each()) {
        if (await resources.tenancy.verify({ device, subject: id, kind: 'experienceUser' })) seeing.push(email)
      }
      return seeing.sort()
    },
    async signedIn(email: string) {
      const visitor = clientOf(running.port, host)
      expect(await visitor.login(email, PASSWORD)).toMatchObject({ status: 302 })
      return visitor
    },
    async join(email: string, groups: string[]) {
      const experienceGroupIds = await Promise.all(groups.map((name) => byName('groups', name)))
      await resources.users.update(email, { experienceGroupIds })
    },
    /** Mails are counted by the minute: this one begins anew. */
    async aMinutePasses() {
      const flow = (await app.collection('flows').find()).find(({ name }) => name === 'Alert the group')!
      const space = `mail:${flow.id}`
      for (const key of Object.keys(await app.values.entries(space))) await app.values.take(space, key)
    },
  }
}

/** Resolves when no run and no mail waits or is under way. */
async function settled(app: AppStore): Promise<void> {
  const open = {
    any: [
      { field: 'status', op: 'eq', value: 'queued' } as const,
      { field: 'status', op: 'eq', value: 'running' } as const,
    ],
  }
  const kinds = { any: ['run', 'mail'].map((value) => ({ field: 'kind', op: 'eq', value }) as const) }
  await expect.poll(() => app.collection('jobs').count({ all: [open, kinds] }), SETTLED).toBe(0)
}

async function reportingCopy(): Promise<string> {
  const folder = await temporaryFolder()
  await cp(join(import.meta.dirname, '../../examples/generators'), folder, { recursive: true })
  const timer = join(folder, 'workflows/cloud/Simulated_readings.yaml')
  const text = await readFile(timer, 'utf8')
  expect(text).toContain('enabled: true\n')
  await writeFile(timer, text.replace('enabled: true\n', 'enabled: false\n'))
  const develop = join(folder, 'experience/develop')
  const id = '~exportplaceholderid-experienceEndpoint-postTestReport~'
  const endpoints = await readFile(join(develop, 'endpoints.yaml'), 'utf8')
  const endpoint = `resources:\n  - { id: ${id}, method: post, route: /test/report, access: public, enabled: true, version: develop }\n`
  await writeFile(join(develop, 'endpoints.yaml'), endpoints.replace('resources:\n', endpoint))
  const report = {
    ...{ id: 'report', type: 'DeviceChangeStateNode', outputIds: [['reply']] },
    config: { deviceId: '{{data.body.deviceId}}', attrDataMethod: 'payloadPath', attrPayloadPath: 'data.body.data' },
  }
  const reply = { id: 'reply', type: 'EndpointReplyNode', config: { bodyTemplate: 'reported', replyType: 'custom' } }
  const flow = {
    ...{ id: '~exportplaceholderid-flowVersion-report~', flowId: '~exportplaceholderid-flow-report~', name: 'Report' },
    ...{ enabled: true, version: 'develop', nodes: [report, { ...reply, outputIds: [[]] }] },
    triggers: [{ type: 'endpoint', key: id, config: {}, outputIds: [['report']] }],
  }
  const file = { resourceType: 'ExperienceFlowVersion', resources: [flow], version: 1 }
  await writeFile(join(develop, 'workflows/Report.yaml'), JSON.stringify(file))
  return folder
}
