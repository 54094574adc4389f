import type { QueryWorld } from './query.ts'
import { tagCondition, toText, wrong } from './query-operands.ts'
import type { CompareOp, Filter, Scalar } from './store/port.ts'

export type QueryResource = 'device' | 'user' | 'group' | 'event'

export interface FieldUse {
  world: QueryWorld
  place: string
  ignoreCase: boolean
}

/** One field of the query language: its operators, and the filter of one positive test (`$ne`, `$in`, `$nin` build on `$eq`). */
export interface Field {
  operators: readonly string[]
  /** Takes exactly one operator. */
  single?: boolean
  /** An object without any of the operators is an operand of `$eq`: the forms of tags. */
  ownForms?: boolean
  test(op: string, operand: unknown, use: FieldUse): Filter | Promise<Filter>
}

export const idOperators = ['$eq', '$ne', '$gt', '$lt', '$gte', '$lte', '$in', '$nin']
export const textOperators = [...idOperators, '$startsWith', '$endsWith', '$contains', '$ci']
/** Classes that do not connect themselves; without a status of their gateway theirs is `invalid`. */
const unconnectable = ['system', 'peripheral', 'floating']

export const equalities = ['$eq', '$ne', '$in', '$nin']

/** What the operators of single values ask a store. */
export const compare: Record<string, CompareOp> = {
  $eq: 'eq',
  $gt: 'gt',
  $lt: 'lt',
  $gte: 'gte',
  $lte: 'lte',
  $startsWith: 'startsWith',
  $endsWith: 'endsWith',
  $contains: 'contains',
}

/** The fields that a query of the resource may name. */
export function fieldsOf(resource: QueryResource): Readonly<Record<string, Field>> {
  return resources[resource]
}

const dates = { creationDate: date('creationDate'), lastUpdated: date('lastUpdated') }

const resources: Record<QueryResource, Record<string, Field>> = {
  device: {
    id: id('id'),
    gatewayId: id('gatewayId'),
    parentId: id('parentId'),
    ancestorId: lookUp('systemsBelow', 'ancestorId', {
      found: (ids) => ({ field: 'parentId', op: 'in', value: ids }),
      none: { field: 'parentId', op: 'eq', value: null },
    }),
    experienceUserId: lookUp('groupsOfUser', 'experienceUserId', { found: within, none: { not: inAnyGroup() } }),
    experienceGroupId: lookUp('groupsOfGroup', 'experienceGroupId', { found: within, none: { not: inAnyGroup() } }),
    name: text('name'),
    deviceClass: text('deviceClass'),
    attributeName: attributeName(),
    ...dates,
    deletedAt: deletedAt(),
    connectionStatus: connectionStatus(),
    connectedAt: connectionTime(1),
    disconnectedAt: connectionTime(0),
    tags: tags('tags'),
  },
  user: {
    id: id('id'),
    experienceGroupId: directGroup(),
    email: text('email'),
    firstName: text('firstName'),
    lastName: text('lastName'),
    lastLogin: date('lastLogin'),
    passwordLastUpdated: date('passwordLastUpdated'),
    ...dates,
    userTags: tags('userTags'),
  },
  group: {
    id: id('id'),
    parentId: id('parentId'),
    ancestorId: ancestorGroup(),
    experienceUserId: lookUp('groupsOfUser', 'experienceUserId', { found: ids }),
    experienceEndpointId: lookUp('groupsOfEndpoint', 'experienceEndpointId', { found: ids }),
    name: text('name'),
    ...dates,
    groupTags: tags('groupTags'),
  },
  event: {
    experienceUserId: ofDevices('groupsOfUser', 'experienceUserId'),
    experienceGroupId: ofDevices('groupsOfGroup', 'experienceGroupId'),
    id: text('id'),
    level: text('level'),
    state: text('state'),
    subject: text('subject'),
    deviceId: text('deviceId'),
    sourceId: text('sourceId'),
    sourceType: text('sourceType'),
    ...dates,
    eventTags: tags('eventTags'),
  },
}

function id(field: string): Field {
  return {
    operators: idOperators,
    single: true,
    test: (op, operand, use) => scalar(field, op, operand === null ? null : toText(operand, use.place), use),
  }
}

function text(field: string): Field {
  return {
    operators: textOperators,
    test: (op, operand, use) => scalar(field, op, operand === null ? null : toText(operand, use.place), use),
  }
}

function date(field: string): Field {
  return {
    operators: textOperators,
    test: (op, operand, use) => scalar(field, op, operand === null ? null : toTime(operand, op, use.place), use),
  }
}

function scalar(field: string, op: string, value: Scalar, use: FieldUse): Filter {
  if (value === null && op !== '$eq') throw wrong(use.place, 'null goes only with $eq, $ne, $in and $nin')
  const ignoreCase = use.ignoreCase && typeof value === 'string'
  return { field, op: compare[op]!, value, ...(ignoreCase ? { ignoreCase } : {}) }
}

/** A field whose ids are looked up first. Without `none`, null is refused. */
function lookUp(
  member: Exclude<keyof QueryWorld, 'devicesIn'>,
  name: string,
  { found, none }: { found: (ids: readonly string[]) => Filter; none?: Filter },
): Field {
  return {
    operators: equalities,
    single: true,
    async test(_op, operand, use) {
      const resolve = use.world[member]
      if (resolve === undefined) throw wrong(use.place, `"${name}" cannot be used in the query of a group`)
      if (operand === null) {
        if (none === undefined) throw wrong(use.place, 'expected an id, got null')
        return none
      }
      const given = toText(operand, use.place)
      return given === '' ? { any: [] } : found(await resolve(given))
    },
  }
}

/** Events whose device is in the world of a user or group; null: in nobody's. */
function ofDevices(member: 'groupsOfUser' | 'groupsOfGroup', name: string): Field {
  const devices = lookUp(member, name, { found: within, none: { not: inAnyGroup() } })
  return {
    ...devices,
    async test(op, operand, use) {
      const filter = await devices.test(op, operand, use)
      const found = 'any' in filter && filter.any.length === 0 ? [] : await use.world.devicesIn!(filter)
      return { field: 'deviceId', op: 'in', value: found }
    },
  }
}

function ids(found: readonly string[]): Filter {
  return { field: 'id', op: 'in', value: found }
}

function within(found: readonly string[]): Filter {
  return { within: found }
}

function inAnyGroup(): Filter {
  return { list: 'groupIds', op: 'gte', value: '' }
}

function ancestorGroup(): Field {
  return {
    operators: equalities,
    single: true,
    test: (_op, operand, { place }) =>
      operand === null
        ? { field: 'parentId', op: 'eq', value: null }
        : { list: 'ancestorIds', has: [toText(operand, place)] },
  }
}

function directGroup(): Field {
  return {
    operators: equalities,
    single: true,
    test: (_op, operand, { place }) =>
      operand === null
        ? { not: { list: 'experienceGroupIds', op: 'gte', value: '' } }
        : { list: 'experienceGroupIds', has: [toText(operand, place)] },
  }
}

function attributeName(): Field {
  const list = 'attributes.name'
  return {
    operators: textOperators,
    test(op, operand, { place, ignoreCase }) {
      if (operand === null) {
        if (op !== '$eq') throw wrong(place, 'null goes only with $eq, $ne, $in and $nin')
        return { not: { list, op: 'gte', value: '' } }
      }
      const value = toText(operand, place)
      return { list, op: compare[op]!, value, ...(ignoreCase ? { ignoreCase } : {}) }
    },
  }
}

/** Only live devices are searched: they have no such date. */
function deletedAt(): Field {
  return {
    operators: idOperators,
    test(op, operand, { place }) {
      if (operand !== null) toTime(operand, op, place)
      return operand === null && op === '$eq' ? { all: [] } : { any: [] }
    },
  }
}

function connectionStatus(): Field {
  const never: Filter = { field: 'connection.connected', op: 'eq', value: null }
  const cannot: Filter = { field: 'deviceClass', op: 'in', value: unconnectable }
  const filters: Record<string, Filter> = {
    connected: { field: 'connection.connected', op: 'eq', value: 1 },
    disconnected: { field: 'connection.connected', op: 'eq', value: 0 },
    unknown: { all: [never, { not: cannot }] },
    invalid: { all: [never, cannot] },
  }
  return {
    operators: equalities,
    test(_op, operand, { place }) {
      const status = operand === null ? 'unknown' : toText(operand, place)
      if (!Object.hasOwn(filters, status)) {
        throw wrong(
          place,
          `expected connected, disconnected, unknown or invalid, got ${JSON.stringify(status.slice(0, 80))}`,
        )
      }
      return filters[status]!
    },
  }
}

function connectionTime(connected: 0 | 1): Field {
  const state: Filter = { field: 'connection.connected', op: 'eq', value: connected }
  return {
    operators: idOperators,
    test(op, operand, use) {
      if (operand === null && op === '$eq') return { not: state }
      if (operand === null) throw wrong(use.place, 'null goes only with $eq, $ne, $in and $nin')
      return { all: [state, scalar('connection.time', op, toTime(operand, op, use.place), use)] }
    },
  }
}

/** Milliseconds since the epoch: a number, a Date, or text of either (templates print numbers inside quotes). */
export function toTime(operand: unknown, op: string, place: string): number {
  if (!Object.hasOwn(compare, op) || op === '$startsWith' || op === '$endsWith' || op === '$contains') {
    throw wrong(place, `"${op}" cannot be used with a date`)
  }
  const raw = typeof operand === 'string' ? operand.trim() : operand
  const time =
    raw instanceof Date
      ? raw.getTime()
      : typeof raw === 'string'
        ? /^[+-]?\d+(\.\d+)?$/.test(raw)
          ? Number(raw)
          : Date.parse(raw)
        : raw
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw wrong(place, `expected a date (ISO text or milliseconds), got ${String(JSON.stringify(operand)).slice(0, 80)}`)
}

function tags(field: string): Field {
  return {
    operators: ['$eq', '$ne'],
    ownForms: true,
    test: (_op, operand, { place }) => tagCondition(field, operand, place),
  }
}
