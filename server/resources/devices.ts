import type { Payload } from '../../engine/payload.ts'
import type { DeviceCriteria, DeviceMerge, DeviceShape, Devices, DeviceView } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { parseQuery } from '../query.ts'
import type { AttributeDefinition, DeviceDocument } from '../store/documents/devices.ts'
import { isId, newId } from '../store/id.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import { matching } from '../tenancy/batch.ts'
import type { TenancyRule } from '../tenancy/rule.ts'
import { systemsBelow } from '../tenancy/systems.ts'
import { tenancyWrite } from '../tenancy/write.ts'
import { castState } from './cast.ts'
import { refused } from './check.ts'
import { byClass, type DeviceFields, mergeAttributes, mergeTags, overRecipe, readDevice } from './device-fields.ts'
import { toDeviceViews } from './device-views.ts'
import type { Actor, Happened } from './happenings.ts'
import { readHistory } from './history.ts'
import { listPage, tagFilter } from './listing.ts'
import { openReports } from './reports.ts'
import { readSeries } from './time-series.ts'
import { again, refusing } from './writing.ts'

const sortFields = {
  name: 'name',
  id: 'id',
  creationDate: 'creationDate',
  lastUpdated: 'lastUpdated',
  connectionStatus: 'connection.connected',
}

/** Devices, with what flows reach through the API node and brokers through connections. */
export interface DeviceResource extends Devices {
  get(id: string, shape: DeviceShape): Promise<DeviceView | undefined>
  /** Tells flows that listen of it. Throws Refusal `NotFound`. */
  setConnection(id: string, connected: boolean, change?: ConnectionChange): Promise<void>
}

export interface ConnectionChange {
  /** Milliseconds since the epoch; default now. */
  time?: number
  /** What flows get of it; default `{ method: 'rest', secure: false }`. */
  data?: Payload
  /** Flows are told, but the device stays as it is: it has another connection. */
  stays?: boolean
}

export interface DeviceDeps {
  app: AppStore
  now(): number
  tenancy: TenancyRule
  actor: Actor
  happened?: Happened
}

/** The devices of one application, as `actor` makes them and reports their state. */
export function openDevices({ app, now, tenancy, actor, happened }: DeviceDeps): DeviceResource {
  const collection = app.collection('devices')

  async function existing(deviceId: string): Promise<DeviceDocument> {
    const device = await collection.get(deviceId.trim().toLowerCase())
    if (device === undefined) throw new Refusal('NotFound', `Expected the id of a device, got "${deviceId}"`)
    return device
  }

  async function viewOf(device: DeviceDocument, shape: DeviceShape): Promise<DeviceView> {
    return (await toDeviceViews(app, [device], shape))[0]!
  }

  /**
   * What the device has of the places that the fields give it: a peripheral the connection of its gateway. Throws Refusal
   * unless the parent is a system that is not below the device, and the gateway can be one.
   */
  async function placed(fields: DeviceFields, before?: DeviceDocument): Promise<Partial<DeviceDocument>> {
    const { parentId, gatewayId } = fields
    if (parentId !== undefined && parentId !== before?.parentId) {
      const parent = await collection.get(parentId)
      if (parent?.deviceClass !== 'system') throw refused('parentId', 'the id of a device of class system', parentId)
      if (before !== undefined && (await systemsBelow(app, before.id)).includes(parentId)) {
        throw refused('parentId', 'a system that is not the device itself or below it', parentId)
      }
    }
    const deviceClass = fields.deviceClass ?? before?.deviceClass
    if (deviceClass !== 'peripheral') return before?.gatewayId === undefined ? {} : { connection: undefined }
    const wanted = 'gatewayId' in fields ? gatewayId : before?.gatewayId
    if (wanted !== undefined && wanted === before?.gatewayId) return {}
    const gateway = wanted === undefined ? undefined : await collection.get(wanted)
    if (gateway?.deviceClass !== 'gateway' && gateway?.deviceClass !== 'edgeCompute') {
      throw refused('gatewayId', 'the id of a device of class gateway or edgeCompute (a peripheral has one)', wanted)
    }
    return { connection: gateway.connection }
  }

  /** Names of the attributes that were not there, and of which values of another type were kept. */
  async function returned(device: DeviceDocument, after: readonly AttributeDefinition[] = []): Promise<string[]> {
    const known = new Set(device.attributes.map(({ name }) => name))
    const added = after.filter(({ name }) => !known.has(name))
    if (added.length === 0) return []
    const last =
      (
        await app.telemetry.last(
          [device.id],
          added.map(({ name }) => name),
        )
      ).get(device.id) ?? {}
    return added.flatMap(({ name, dataType }) =>
      Object.hasOwn(last, name) && castState(last[name]!.value, dataType) !== last[name]!.value ? [name] : [],
    )
  }

  /** Writes it on the device, and on the peripherals behind it: they are reached while their gateway is. */
  async function connect(deviceId: string, connection: DeviceDocument['connection']): Promise<void> {
    const operations: WriteOperation[] = [{ update: 'devices', id: deviceId, change: { connection } }]
    for await (const { id } of matching(collection, { field: 'gatewayId', op: 'eq', value: deviceId })) {
      operations.push({ update: 'devices', id, change: { connection } })
    }
    await tenancyWrite(app, operations)
  }

  async function fromRecipe(given: DeviceFields, recipeId: unknown): Promise<DeviceFields> {
    const recipe =
      typeof recipeId === 'string' ? await app.collection('recipes').get(recipeId.trim().toLowerCase()) : undefined
    if (recipe === undefined) throw refused('recipeId', 'the id of a recipe', recipeId)
    return overRecipe(given, recipe)
  }

  return {
    async get(deviceId, shape) {
      const device = await collection.get(deviceId.trim().toLowerCase())
      return device && (await viewOf(device, shape))
    },

    async find(criteria, request, shape) {
      const filter = await filterOf(criteria, tenancy)
      return await listPage(collection, filter, {
        request,
        sortFields,
        view: (found) => toDeviceViews(app, found, shape),
      })
    },

    async create({ recipeId, ...body }, shape) {
      const given = readDevice(body)
      const fields = byClass(recipeId === undefined ? given : await fromRecipe(given, recipeId))
      if (fields.name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
      const place = await placed(fields)
      const deviceId = newId()
      const document = { ...emptyDevice, ...fields, ...place, name: fields.name, id: deviceId }
      await refusing(tenancyWrite(app, [{ insert: 'devices', document }]), 'The device exists already')
      const device = await existing(deviceId)
      await happened?.({ kind: 'device-create', device }, actor)
      return await viewOf(device, shape)
    },

    async update(deviceId, patch, options) {
      const given = readDevice(patch)
      return await again(async () => {
        const device = await existing(deviceId)
        const fields = byClass(merged(device, given, options), device)
        const change = { ...fields, ...(await placed(fields, device)) }
        if (Object.keys(change).length > 0) {
          const operation = { update: 'devices' as const, id: device.id, change, revision: device.revision }
          await refusing(tenancyWrite(app, [operation]), 'The device exists already')
          // Values of another type would be no values of the attribute.
          const retyped = [
            ...retypedAttributes(device.attributes, change.attributes),
            ...(await returned(device, change.attributes)),
          ]
          if (retyped.length > 0) await app.telemetry.remove([device.id], { attributes: retyped })
        }
        return await viewOf(await existing(device.id), options)
      })
    },

    async remove(deviceId) {
      const device = await collection.get(deviceId.trim().toLowerCase())
      if (device === undefined) return false
      const operations: WriteOperation[] = [{ remove: 'devices', id: device.id }]
      for await (const child of matching(collection, { field: 'parentId', op: 'eq', value: device.id })) {
        operations.push({ update: 'devices', id: child.id, change: { parentId: undefined } })
      }
      await tenancyWrite(app, operations)
      await app.telemetry.remove([device.id])
      return true
    },

    async setConnection(deviceId, connected, { time = now(), data = { method: 'rest', secure: false }, stays } = {}) {
      const device = await existing(deviceId)
      const connection = { connected: connected ? (1 as const) : (0 as const), time }
      if (!stays)
        await refusing(
          again(() => connect(device.id, connection), ['conflict', 'missing']),
          '',
        )
      await happened?.({ kind: connected ? 'connect' : 'disconnect', device, time, data }, actor)
    },

    report: openReports({ app, now, actor, happened }),
    history: (request) => readHistory(app, request),
    series: (request) => readSeries(app, request, { now: now(), filterOf: (criteria) => filterOf(criteria, tenancy) }),
  }
}

const emptyDevice = { deviceClass: 'standalone', tags: [], attributes: [] as AttributeDefinition[], groupIds: [] }

function merged(device: DeviceDocument, given: DeviceFields, merge: DeviceMerge): DeviceFields {
  const tags = merge.mergeTags?.length ? mergeTags(given.tags ?? device.tags, merge.mergeTags) : given.tags
  const attributes = merge.mergeAttributes?.length
    ? mergeAttributes(given.attributes ?? device.attributes, merge.mergeAttributes)
    : given.attributes
  return { ...given, ...(tags ? { tags } : {}), ...(attributes ? { attributes } : {}) }
}

/** Names of the attributes that had another type before. */
function retypedAttributes(
  before: readonly AttributeDefinition[],
  after: readonly AttributeDefinition[] = [],
): string[] {
  const types = new Map(before.map(({ name, dataType }) => [name, dataType]))
  return after.flatMap(({ name, dataType }) => (types.has(name) && types.get(name) !== dataType ? [name] : []))
}

/** Blank and unknown ids find nothing. */
export async function filterOf(criteria: DeviceCriteria, tenancy: TenancyRule): Promise<Filter> {
  switch (criteria.by) {
    case 'id': {
      const id = criteria.id.trim().toLowerCase()
      return isId(id) ? { field: 'id', op: 'eq', value: id } : { any: [] }
    }
    case 'name':
      return criteria.name === '' ? { any: [] } : { field: 'name', op: 'eq', value: criteria.name }
    case 'allTags':
      return tagFilter('tags', criteria.tags, 'all')
    case 'anyTags':
      return tagFilter('tags', criteria.tags, 'any')
    case 'parent':
      return { field: 'parentId', op: 'eq', value: criteria.parentId.trim().toLowerCase() || null }
    case 'group':
      return tenancy.devicesOfGroup(criteria.groupId)
    case 'user':
      return await tenancy.devicesOfUser(criteria.idOrEmail)
    case 'query':
      return await parseQuery('device', criteria.query, tenancy.queryWorld)
  }
}
