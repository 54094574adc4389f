import type { PlanTrigger } from '../../engine/compile.ts'
import { copyValue, type Payload } from '../../engine/payload.ts'
import type { DeviceView } from '../../nodes/services/devices.ts'
import { ConfigError } from '../config.ts'
import { type Relay, startPayload } from '../flows/payload.ts'
import type { AppFlows, RunnableFlow } from '../flows/plans.ts'
import type { Resources } from '../resources/resources.ts'
import type { AppStore } from '../store/port.ts'
import type { TestCase } from './test-file.ts'

/**
 * Puts into the application what stood there before the run. Throws ConfigError for a device or a table that is not there,
 * Refusal for an event or a row that cannot be.
 */
export async function prepare(
  { values, state, events, tables, clock }: TestCase,
  { app, resources, flowId }: { app: AppStore; resources: Resources; flowId: string },
): Promise<void> {
  for (const [key, value] of Object.entries(values)) await app.values.set(`flow:${flowId}`, key, value)
  for (const { device: name, minutesAgo = 0, data } of state) {
    const { id } = await deviceNamed(name, 'state', resources)
    await resources.devices.report([{ deviceId: id, data, time: clock - minutesAgo * 60_000 }])
  }
  for (const event of events) await resources.events.create(event)
  for (const [name, rows] of Object.entries(tables)) {
    const table = await tableNamed(name, resources)
    if (table === undefined) throw new ConfigError(`Expected the name of a table in "tables", got "${name}"`)
    if (rows.length > 0) await resources.dataTables.insertMany(table, rows)
  }
}

/** The id of a table; undefined where there is none of that name. */
export async function tableNamed(name: string, { dataTables }: Resources): Promise<string | undefined> {
  const { items } = await dataTables.tables({}, { field: 'name', op: 'eq', value: name })
  return items[0]?.id
}

async function deviceNamed(name: string, key: string, { devices }: Resources): Promise<DeviceView> {
  const { items } = await devices.find({ by: 'name', name }, {}, { tagsAsObject: true, attributesAsObject: true })
  if (items[0]) return items[0]
  throw new ConfigError(`Expected the name of a device in "${key}", got "${name}"`)
}

export interface CaseStart {
  app: AppStore
  flows: AppFlows
  flow: RunnableFlow
  resources: Resources
  trigger: PlanTrigger
  /** What the trigger gives where the case says nothing else. */
  data: Payload
}

/** The payload that a case starts with: as the server would make it, then what the case says. */
export async function casePayload(test: TestCase, start: CaseStart): Promise<Payload> {
  const { flows, flow, trigger, data, resources } = start
  const experience = trigger.type === 'endpoint' ? await experienceOf(test, start) : undefined
  const device = test.device === undefined ? undefined : await deviceNamed(test.device, 'device', resources)
  const made = startPayload(flows, flow, {
    ...{ triggerId: device?.id ?? trigger.key, triggerType: trigger.published, time: new Date(test.clock), experience },
    data: { ...data, ...(trigger.type === 'device-create' ? { device } : {}), ...test.data },
    relay: relayOf(device, experience?.user as Payload | null | undefined),
  })
  const context = device && { device, deviceName: device.name, deviceTags: copyValue(device.tags) }
  return { ...made, ...context, ...copyValue(test.payload) }
}

function relayOf(device: DeviceView | undefined, user: Payload | null | undefined): Relay {
  if (device) return { type: 'device', id: device.id }
  return user ? { type: 'experienceUser', id: String(user.id) } : { type: 'user', id: '0'.repeat(24) }
}

/** What pages are rendered with, before the reply adds its data. */
export function viewOf({ experience, data, globals, time }: Payload, { application }: AppFlows): Payload {
  return copyValue({ time, application, experience, request: data, globals })
}

async function experienceOf({ as, clock }: TestCase, { app, flow, resources, trigger }: CaseStart): Promise<Payload> {
  const endpoint = await app.collection('endpoints').get(trigger.key)
  const common = { version: flow.experienceVersion ?? 'develop', ...(endpoint ? { endpoint: { ...endpoint } } : {}) }
  if (as === undefined) return { ...common, user: null, authInfo: null }
  const user = await resources.users.get(as)
  if (!user) throw new ConfigError(`Expected "as" to be a user of the application, got "${as}"`)
  return { ...common, user, authInfo: { issuedAt: new Date(clock), expiresAt: null, extraData: null } }
}
