import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { importFolder } from '../server/bundle/import-folder.ts'
import { openTokens } from '../server/resources/tokens.ts'
import type { DeviceDocument } from '../server/store/documents/devices.ts'
import type { GroupDocument, UserDocument } from '../server/store/documents/people.ts'
import { openStore } from '../server/store/open.ts'
import type { AppStore, LastValue } from '../server/store/port.ts'
import { type Started, startServer } from './processes.ts'

/** The application of the benchmarks, imported into a store of its own. */
export interface World {
  /** Host name of the application. */
  host: string
  /** A token of the user whose page is asked for. */
  token: string
  data: WorldData
  /** `flags` are for Node itself. */
  start(flags?: string[]): Promise<Started>
  /** Removes the store: the next start imports everything again. */
  forget(): Promise<void>
  /** Removes its files. */
  close(): Promise<void>
}

/** Everything the hand-written twin needs to give the same answers. */
export interface WorldData {
  application: { id: string; name: string; secret: string }
  users: UserDocument[]
  groups: GroupDocument[]
  devices: DeviceDocument[]
  state: Record<string, Record<string, LastValue>>
}

const slug = 'bench'
const reader = 'customer3@example.com'
const customers = 10
const sites = 4
const devicesOfSite = 5

/**
 * Writes the folder, imports it and reports the state of its devices once. `moreFlows`: endpoints GET /flow/0, ... `settings`: of the
 * servers; with STORE_URL any number of them serve what was imported once.
 */
export async function openWorld({
  moreFlows = 0,
  settings = {},
}: {
  moreFlows?: number
  settings?: Record<string, string>
} = {}): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'headgate-bench-'))
  const folder = join(home, 'app')
  const env = {
    DATA_DIR: join(home, 'data'),
    LOG_LEVEL: 'error',
    PORT: '0',
    REQUESTS_PER_SECOND: '0',
    ...settings,
  }
  await writeFolder(folder, moreFlows)
  const store = await openStore(settings.STORE_URL, join(env.DATA_DIR, 'headgate.db'))
  const imports = settings.STORE_URL ? [] : ['--app', `${folder}=${slug}`]
  try {
    const io = { env, out: () => undefined, err: (line: string) => void process.stderr.write(`${line}\n`) }
    const { scope, host } = await importFolder({ store, folder, slug, password: 'not-asked-for', io })
    const app = store.app(scope)
    await reportState(app)
    const data = await readData(app)
    return {
      ...{ host, data, token: await tokenOf(data) },
      start: (flags = []) =>
        startServer({
          args: [...flags, 'server/headgate.mjs', 'start', ...imports],
          env,
          anywhere: Boolean(settings.STORE_URL),
        }),
      forget: () => rm(env.DATA_DIR, { recursive: true }),
      close: () => rm(home, { recursive: true, force: true }),
    }
  } finally {
    await store.close()
  }
}

async function writeFolder(folder: string, moreFlows: number): Promise<void> {
  await cp(join(import.meta.dirname, 'app'), folder, { recursive: true })
  const write = (path: string, resourceType: string, resources: unknown[]) =>
    writeFile(join(folder, path), stringify({ resourceType, resources, version: 1 }))
  await write('devices.yaml', 'DeviceTree', devices())
  await write('experience/groups.yaml', 'ExperienceGroupTree', [groups()])
  await write('experience/users.yaml', 'ExperienceUser', users())
  if (moreFlows === 0) return
  const numbers = Array.from({ length: moreFlows }, (_, n) => n)
  await mkdir(join(folder, 'experience/develop/more'))
  await write('experience/develop/more/endpoints.yaml', 'ExperienceEndpoint', numbers.map(endpoint))
  for (const n of numbers) await write(`experience/develop/more/flow${n}.yaml`, 'ExperienceFlowVersion', [flow(n)])
}

const idOf = (kind: string, name: string) => `~exportplaceholderid-${kind}-${name}~`

function groups() {
  const site = (customer: number, n: number) => ({
    id: idOf('experienceGroup', `site${customer}x${n}`),
    name: `Site ${n} of customer ${customer}`,
    deviceIds: [],
    deviceTags: [{ key: 'site', value: `${customer}.${n}` }],
    groupTags: {},
    children: [],
  })
  const customer = (n: number) => ({
    id: idOf('experienceGroup', `customer${n}`),
    name: `Customer ${n}`,
    deviceIds: [],
    deviceTags: [],
    groupTags: {},
    children: range(sites).map((one) => site(n, one)),
  })
  return {
    id: idOf('experienceGroup', 'maker'),
    name: 'Maker',
    deviceIds: [],
    deviceTags: [],
    groupTags: {},
    children: range(customers).map(customer),
  }
}

function devices() {
  return range(customers * sites * devicesOfSite).map((n) => {
    const site = Math.floor(n / devicesOfSite)
    const attribute = (name: string, dataType: string, attributeTags = {}) => ({ attributeTags, dataType, name })
    return {
      attributes: [
        attribute('running', 'boolean'),
        attribute('outputKw', 'number', { unit: 'kW' }),
        attribute('fuelPercent', 'number', { low: '20', unit: '%' }),
        attribute('coolantTempC', 'number', { high: '105', unit: '°C' }),
      ],
      children: [],
      description: `Generator in the "main" building`,
      deviceClass: 'standalone',
      id: idOf('device', `generator${n}`),
      name: `Generator ${String(n).padStart(3, '0')}`,
      tags: [
        { key: 'site', value: `${Math.floor(site / sites)}.${site % sites}` },
        { key: 'model', value: `Model K${500 + (n % 3) * 250}` },
        { key: 'serial', value: `K-${24_000 + n}` },
      ],
    }
  })
}

function users() {
  return range(customers).map((n) => ({
    email: `customer${n}@example.com`,
    experienceGroupIds: [idOf('experienceGroup', `customer${n}`)],
    firstName: 'Ada',
    id: idOf('experienceUser', `customer${n}`),
    lastName: `Number ${n}`,
    userTags: { role: 'viewer' },
  }))
}

function endpoint(n: number) {
  return {
    access: 'public',
    enabled: true,
    endpointTags: {},
    experienceGroupIds: [],
    id: idOf('experienceEndpoint', `flow${n}`),
    method: 'get',
    route: `/flow/${n}`,
    version: 'develop',
  }
}

function flow(n: number) {
  const node = (id: string, type: string, config: object, outputIds: string[][]) => ({
    config,
    id,
    meta: {},
    outputIds,
    type,
  })
  return {
    enabled: true,
    flowId: idOf('flow', `more${n}`),
    globals: [],
    id: idOf('flowVersion', `more${n}`),
    name: `More ${n}`,
    nodes: [
      node('choice', 'ConditionalNode', { expression: '{{data.query.loud}} === "yes"' }, [['quiet'], ['loud']]),
      node('quiet', 'MutateNode', { rules: [setRule('working.words', `hello ${n}`)] }, [['reply']]),
      node('loud', 'MutateNode', { rules: [setRule('working.words', `HELLO ${n}`)] }, [['reply']]),
      node(
        'reply',
        'EndpointReplyNode',
        {
          bodyTemplate: '{ "words": {{jsonEncode working.words}} }',
          bodyTemplateType: 'string',
          replyType: 'custom',
          responseCodeTemplate: '200',
        },
        [],
      ),
    ],
    triggers: [
      { config: {}, key: idOf('experienceEndpoint', `flow${n}`), meta: {}, outputIds: [['choice']], type: 'endpoint' },
    ],
    version: 'develop',
  }
}

function setRule(destination: string, valueTemplate: string) {
  return { destination, type: 'set', valueTemplate, valueTemplateType: 'string' }
}

async function reportState(app: AppStore): Promise<void> {
  const time = Date.now()
  const found = await app.collection('devices').find({ sort: { field: 'name', direction: 'asc' }, limit: 1_000 })
  await app.telemetry.append(
    found.map(({ id }, n) => ({
      deviceId: id,
      time,
      data: { running: n % 3 > 0, outputKw: 1_000 + n * 1.5, fuelPercent: 15 + (n % 80), coolantTempC: 70 + (n % 40) },
    })),
  )
}

async function readData(app: AppStore): Promise<WorldData> {
  const application = await app.collection('application').get(app.scope.application)
  if (!application) throw new Error('Expected the application to be in the store after its import')
  const { id, name, secret } = application
  const found = await app.collection('devices').find({ limit: 1_000 })
  const state = await app.telemetry.last(found.map((device) => device.id))
  return {
    application: { id, name, secret },
    users: await app.collection('users').find({ limit: 1_000 }),
    groups: await app.collection('groups').find({ limit: 1_000 }),
    devices: found,
    state: Object.fromEntries(state),
  }
}

async function tokenOf({ application, users: all }: WorldData): Promise<string> {
  const tokens = openTokens({ application: application.id, secret: () => application.secret, now: () => Date.now() })
  const user = all.find(({ email }) => email === reader)
  if (!user) throw new Error(`Expected the user ${reader} to be in the store after the import`)
  const issuedAt = Date.now()
  return await tokens.sign({ userId: user.id, issuedAt, expiresAt: issuedAt + 86_400_000 })
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
