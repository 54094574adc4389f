import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import type { Payload } from '../../engine/payload.ts'
import { type Listing, type PageRequest, Refusal } from '../../nodes/services/listing.ts'
import { isCustom, isFilter } from '../mqtt/topics.ts'
import type { AccessKeyDocument } from '../store/documents/devices.ts'
import type { AppStore, Filter } from '../store/port.ts'
import {
  type Check,
  ids,
  isObject,
  keyText,
  listOf,
  oneOf,
  orNothing,
  readBody,
  refused,
  tagValue,
  text,
} from './check.ts'
import { isoOf, listPage } from './listing.ts'
import { refusing } from './writing.ts'

/** A key as the API shows it: never its secret. */
export type AccessKeyView = Payload & { id: string; key: string }

/** What devices log in with. */
export interface AccessKeys {
  /** `secret` is shown here and never again. Throws Refusal. */
  create(body: unknown): Promise<AccessKeyView & { secret: string }>
  get(id: string): Promise<AccessKeyView | undefined>
  /** Newest first; default all. */
  list(page: PageRequest, matching?: Filter): Promise<Listing<AccessKeyView>>
  /** Which devices it is for cannot be changed. Connections that it no longer allows end within half a minute. Throws Refusal. */
  update(id: string, patch: unknown): Promise<AccessKeyView>
  /** False when there was none. Its connections end within half a minute. */
  remove(id: string): Promise<boolean>
  /** The key that these open; undefined for an unknown key and a wrong secret alike. */
  authenticate(key: string, secret: string): Promise<AccessKeyDocument | undefined>
}

const sortFields = {
  creationDate: 'creationDate',
  id: 'id',
  key: 'key',
  status: 'status',
  name: 'name',
  lastUpdated: 'lastUpdated',
}

const mostKeys = 10_000

/** The application that a key names; undefined when it names none. */
export function applicationOfKey(key: string): string | undefined {
  return /^([0-9a-f]{24})-[A-Za-z0-9_-]{16}$/.exec(key)?.[1]
}

/** The access keys of one application; cheap, without I/O. */
export function openAccessKeys(app: AppStore): AccessKeys {
  const collection = app.collection('accessKeys')
  const { application } = app.scope
  const viewOf = (key: AccessKeyDocument) => toView(key, application)
  return {
    async create(body) {
      const given = readBody(body, createFields, 'the access key')
      if ((await collection.count()) >= mostKeys) {
        throw new Refusal('RateLimit', `Expected at most ${mostKeys} access keys, got one more. Remove some.`)
      }
      const key = `${application}-${randomBytes(12).toString('base64url')}`
      const secret = randomBytes(32).toString('base64url')
      const document = { ...defaults, ...given, key, secretHash: hashOf(secret).toString('hex') }
      return { ...viewOf(await collection.insert(document)), secret }
    },
    async get(id) {
      const found = await collection.get(idOf(id))
      return found && viewOf(found)
    },
    async list(request, matching = { all: [] }) {
      const newest = { ...request, sortDirection: request.sortDirection ?? 'desc' }
      return await listPage(collection, matching, {
        request: newest,
        sortFields,
        view: async (keys) => keys.map(viewOf),
      })
    },
    async update(id, patch) {
      const change = readBody(patch, updateFields, 'the access key')
      if ((await collection.get(idOf(id))) === undefined) throw new Refusal('NotFound', 'Access key was not found')
      return viewOf(await refusing(collection.update(idOf(id), change), ''))
    },
    remove: (id) => collection.remove(idOf(id)),
    async authenticate(key, secret) {
      const found = await collection.first({ field: 'key', op: 'eq', value: key })
      // Without a key the same is done, so that the time tells nothing.
      const expected = Buffer.from(found?.secretHash ?? '0'.repeat(64), 'hex')
      return timingSafeEqual(expected, hashOf(secret)) ? found : undefined
    },
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function idOf(id: string): string {
  return id.trim().toLowerCase()
}

function toView({ secretHash, revision, creationDate, lastUpdated, ...key }: AccessKeyDocument, applicationId: string) {
  const dates = { creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) }
  return { ...key, applicationKeyId: key.id, applicationId, ...dates }
}

const defaults = {
  status: 'active' as const,
  deviceIds: [],
  deviceTags: [],
  filterType: 'none' as const,
  pubTopics: [],
  subTopics: [],
  addressFilterType: 'all' as const,
  addresses: [],
}

const topicPattern: Check<string> = (value, place) => {
  if (typeof value === 'string' && isFilter(value) && isCustom(value)) return value
  throw refused(place, 'a topic of up to 1,024 characters that begins with neither "losant" nor "$"', value)
}

const address: Check<string> = (value, place) => {
  if (typeof value === 'string' && (ipaddr.isValid(value) || ipaddr.isValidCIDR(value))) return value
  throw refused(place, 'an IP address or a range such as 192.0.2.0/24', value)
}

const tagPattern: Check<{ key?: string; value?: string }> = (value, place) => {
  if (!isObject(value) || (value.key === undefined && value.value === undefined)) {
    throw refused(place, '{ key, value }, of which one may be left out', value)
  }
  return {
    ...(value.key === undefined ? {} : { key: keyText(value.key, `${place}.key`) }),
    ...(value.value === undefined ? {} : { value: tagValue(value.value, `${place}.value`) }),
  }
}

const filterTypes = ['none', 'all', 'whitelist', 'blacklist'] as const
const filterType: Check<(typeof filterTypes)[number]> = (value, place) => {
  return value === null ? 'none' : oneOf(filterTypes)(value, place)
}

const commonFields = {
  name: orNothing(text(1, 255)),
  description: orNothing(text(0, 32_767)),
  filterType,
  pubTopics: listOf(topicPattern, 100),
  subTopics: listOf(topicPattern, 100),
  addressFilterType: oneOf(['all', 'whitelist', 'blacklist']),
  addresses: listOf(address, 100),
}
const createFields = { ...commonFields, deviceIds: ids(1_000), deviceTags: listOf(tagPattern, 100) }
const updateFields = { ...commonFields, status: oneOf(['active', 'inactive']) }
