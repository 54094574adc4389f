import { FlowError } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { UserCriteria, Users, UserView } from '../../nodes/services/people.ts'
import { parseQuery } from '../query.ts'
import type { UserDocument } from '../store/documents/people.ts'
import { newId } from '../store/id.ts'
import { type AppStore, type Change, type Filter, StoreError } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { emailKeyOf } from '../tenancy/members.ts'
import type { TenancyRule } from '../tenancy/rule.ts'
import { tenancyWrite } from '../tenancy/write.ts'
import type { Attempts } from './attempts.ts'
import { type Check, type Checked, ids, readBody, refused, tagMap, text, time } from './check.ts'
import { listPage, tagFilter } from './listing.ts'
import { openPasswordLine } from './password-line.ts'
import { checkPassword, hashPassword, mostPassword } from './passwords.ts'
import type { Tokens } from './tokens.ts'
import { toUserViews } from './user-views.ts'
import { again, mergeTagMap, refusing } from './writing.ts'

const email: Check<string> = (value, place) => {
  const address = typeof value === 'string' ? value.trim() : ''
  if (address.length <= 1024 && /^[^\s@]+@[^\s@]+$/.test(address)) return address
  throw refused(place, 'an e-mail address of at most 1024 characters', value)
}

const userFields = {
  email,
  password: text(8, mostPassword),
  firstName: text(0, 1024),
  lastName: text(0, 1024),
  userTags: tagMap,
  experienceGroupIds: ids(1000),
  tokenCutoff: time,
}

const sortFields = {
  email: 'email',
  id: 'id',
  firstName: 'firstName',
  lastName: 'lastName',
  creationDate: 'creationDate',
  lastUpdated: 'lastUpdated',
  lastLogin: 'lastLogin',
}

// The token must fit into what requests are read for: 8,192 characters of base64.
const mostExtraBytes = 5_000

// One for all applications: they share the threads of the process.
const passwordLine = openPasswordLine()

export interface UserDeps {
  app: AppStore
  now(): number
  tenancy: TenancyRule
  tokens: Tokens
  attempts: Attempts
}

/** A token of this application that stands for a user who exists and has not revoked it. */
export interface ValidToken {
  user: UserDocument
  issuedAt: number
  expiresAt?: number
  extraData?: unknown
}

/** Undefined for anything else. */
export async function readToken(token: string, { app, tokens }: UserDeps): Promise<ValidToken | undefined> {
  const claims = await tokens.read(token)
  if (claims === undefined) return undefined
  const user = await app.collection('users').get(claims.userId)
  if (user === undefined || claims.issuedAt < (user.tokenCutoff ?? 0)) return undefined
  return { user, issuedAt: claims.issuedAt, expiresAt: claims.expiresAt, extraData: claims.extraData }
}

export function openUsers(deps: UserDeps): Users {
  const { app, now, tenancy, tokens, attempts } = deps
  const collection = app.collection('users')
  const inLine = <T>(work: () => Promise<T>) => passwordLine.run(scopeKey(app.scope), work)

  async function viewOf(user: UserDocument | undefined): Promise<UserView | undefined> {
    return user === undefined ? undefined : (await toUserViews(app, [user]))[0]
  }

  async function existing(idOrEmail: string): Promise<UserDocument> {
    const user = await tenancy.user(idOrEmail)
    if (user === undefined)
      throw new Refusal('NotFound', `Expected the id or e-mail address of a user, got "${idOrEmail}"`)
    return user
  }

  async function toChange({ password, ...fields }: Checked<typeof userFields>): Promise<Change<UserDocument>> {
    if (password === undefined) return fields
    return { ...fields, passwordHash: await inLine(() => hashPassword(password)), passwordLastUpdated: now() }
  }

  /** Undefined when the user went away meanwhile. */
  async function touch(user: UserDocument, change: Change<UserDocument>): Promise<UserDocument | undefined> {
    try {
      return await collection.update(user.id, change)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'missing') return undefined
      throw error
    }
  }

  async function fits(password: string, email: string): Promise<UserDocument | undefined> {
    const user = isAddress(email) ? await tenancy.user(email) : undefined
    const account = JSON.stringify([scopeKey(app.scope), emailKeyOf(email)])
    return (await attempts.guard(account, () => inLine(() => checkPassword(password, user?.passwordHash))))
      ? user
      : undefined
  }

  return {
    get: async (idOrEmail) => await viewOf(await tenancy.user(idOrEmail)),

    async find(criteria, request) {
      const filter = await filterOf(criteria, tenancy)
      return await listPage(collection, filter, { request, sortFields, view: (users) => toUserViews(app, users) })
    },

    async whoSee(deviceId, request) {
      const filter = await tenancy.usersWhoSee(deviceId)
      return await listPage(collection, filter, { request, sortFields, view: (users) => toUserViews(app, users) })
    },

    async create(body) {
      const given = readBody(body, userFields, 'a user')
      if (given.email === undefined) throw refused('email', 'an e-mail address', undefined)
      if (given.password === undefined) throw refused('password', `text of 8 to ${mostPassword} characters`, undefined)
      const id = newId()
      const document = {
        userTags: {},
        experienceGroupIds: [],
        ...(await toChange(given)),
        id,
        email: given.email,
        emailKey: '',
      }
      await refusing(tenancyWrite(app, [{ insert: 'users', document }]), taken(given.email))
      return (await viewOf(await collection.get(id)))!
    },

    async update(idOrEmail, patch: Payload, { mergeTags, invalidateTokens } = {}) {
      const given = readBody(patch, userFields, 'a user')
      const change = await toChange(given)
      return await again(async () => {
        const user = await existing(idOrEmail)
        const userTags = mergeTags && mergeTagMap(change.userTags ?? user.userTags, mergeTags, 'userTags')
        const cutoff = invalidateTokens ? { tokenCutoff: nextCutoff(user, now()) } : {}
        const whole = { ...change, ...cutoff, ...(userTags ? { userTags } : {}) }
        if (Object.keys(whole).length > 0) {
          const operation = { update: 'users' as const, id: user.id, change: whole, revision: user.revision }
          await refusing(tenancyWrite(app, [operation]), taken(given.email ?? user.email))
        }
        return (await viewOf(await existing(user.id)))!
      })
    },

    async remove(idOrEmail) {
      const user = await tenancy.user(idOrEmail)
      return user === undefined ? false : await collection.remove(user.id)
    },

    async authenticate({ mode, email: address, password, token }) {
      const valid = mode === 'emailPassword' ? undefined : await readToken(token, deps)
      const byToken = valid !== undefined
      const found = async (one: UserDocument | undefined) => {
        const user = await viewOf(one)
        return user && { user, byToken }
      }
      if (mode === 'token') return await found(valid?.user)
      if (mode === 'tokenEmail') return await found(valid && hasAddress(valid.user, address) ? valid.user : undefined)
      if (valid !== undefined) {
        // A token will do alone, but what is given beside it must be right.
        if (address.trim() !== '' && !hasAddress(valid.user, address)) return undefined
        if (password === '') return await found(valid.user)
        address = valid.user.email
      }
      const user = await fits(password, address)
      return user && (await found(await touch(user, { lastLogin: now() })))
    },

    async issueToken({ idOrEmail, ttlMs, invalidateExisting, treatAsLogin, extraData }) {
      const extraBytes = Buffer.byteLength(JSON.stringify(extraData) ?? '')
      if (extraBytes > mostExtraBytes) {
        const message = `Expected at most ${mostExtraBytes} bytes of extra data for a token, got ${extraBytes}. Put less into it.`
        throw new FlowError('config.type', message)
      }
      let user = await tenancy.user(idOrEmail)
      if (user === undefined) return undefined
      const at = now()
      const change = {
        ...(invalidateExisting ? { tokenCutoff: nextCutoff(user, at) } : {}),
        ...(treatAsLogin ? { lastLogin: at } : {}),
      }
      if (Object.keys(change).length > 0) user = await touch(user, change)
      if (user === undefined) return undefined
      // A token made right after its elders were ended is not among them.
      const cutoff = user.tokenCutoff ?? 0
      const issuedAt = cutoff > at && cutoff - at < nearMs ? cutoff : at
      const lasts = ttlMs !== undefined && Number.isFinite(ttlMs) && ttlMs > 0
      return await tokens.sign({ userId: user.id, issuedAt, expiresAt: lasts ? at + ttlMs : undefined, extraData })
    },
  }
}

const nearMs = 1_000

/** Past now, and past what was issued right after the last cutoff: tokens of this very millisecond are ended too. */
function nextCutoff({ tokenCutoff = 0 }: UserDocument, at: number): number {
  return tokenCutoff > at && tokenCutoff - at < nearMs ? tokenCutoff + 1 : at + 1
}

async function filterOf(criteria: UserCriteria, tenancy: TenancyRule): Promise<Filter> {
  if (criteria.by === 'tags') return tagFilter('userTags', criteria.tags, 'all')
  return await parseQuery('user', criteria.query, tenancy.queryWorld)
}

function hasAddress(user: UserDocument, address: string): boolean {
  return address.trim() !== '' && user.emailKey === emailKeyOf(address)
}

// An id is no address: nobody logs in with it.
function isAddress(text: string): boolean {
  return text.includes('@')
}

function taken(address: string): string {
  return `Expected an e-mail address that no other user has, got "${address}"`
}
