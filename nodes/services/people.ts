import type { Payload } from '../../engine/payload.ts'
import type { Listing, PageRequest, TagPair } from './listing.ts'

/** A user as flows see it, without secrets (reference/nodes-experience.md, GetExperienceUserNode). */
export type UserView = Payload & { id: string; email: string }

export type UserCriteria = { by: 'tags'; tags: TagPair[] } | { by: 'query'; query: unknown }

export interface Users {
  /** Undefined for blank and unknown. 24 hex characters are an id, anything else an e-mail address. */
  get(idOrEmail: string): Promise<UserView | undefined>
  find(criteria: UserCriteria, page: PageRequest): Promise<Listing<UserView>>
  create(body: Payload): Promise<UserView>
  /** `mergeTags` merges per key; `experienceGroupIds` replaces; `invalidateTokens` ends all tokens. Throws Refusal. */
  update(
    idOrEmail: string,
    patch: Payload,
    options?: { mergeTags?: TagPair[]; invalidateTokens?: boolean },
  ): Promise<UserView>
  remove(idOrEmail: string): Promise<boolean>
  /** Users who can see the device: members of a group that it is associated with, or of one above. Unknown: none. */
  whoSee(deviceId: string, page: PageRequest): Promise<Listing<UserView>>
  /**
   * Undefined when the credentials do not fit; takes the same time whether or not the user exists. `byToken`: the given
   * token is still good, and said who it is.
   */
  authenticate(credentials: {
    mode: 'emailPassword' | 'token' | 'tokenEmail' | 'tokenEmailPassword'
    email: string
    password: string
    token: string
  }): Promise<{ user: UserView; byToken: boolean } | undefined>
  /**
   * A signed token; undefined when there is no such user. `ttlMs` undefined: never expires. Throws `config.type` for
   * extra data that is too large for a token.
   */
  issueToken(request: {
    idOrEmail: string
    ttlMs?: number
    invalidateExisting?: boolean
    treatAsLogin?: boolean
    extraData?: unknown
  }): Promise<string | undefined>
}

/** A group as flows see it (reference/nodes-experience.md, GetExperienceGroupNode). */
export type GroupView = Payload & { id: string; name: string }

export type GroupCriteria =
  | { by: 'id'; id: string }
  | { by: 'name'; name: string }
  | { by: 'allTags' | 'anyTags'; tags: TagPair[] }
  | { by: 'query'; query: unknown }

export interface GroupTree {
  id: string
  name: string
  children: GroupTree[]
}

export interface Groups {
  find(criteria: GroupCriteria, page: PageRequest): Promise<Listing<GroupView>>
  create(body: Payload): Promise<GroupView>
  update(
    id: string,
    patch: Payload,
    options?: {
      mergeTags?: TagPair[]
      membersToAdd?: string[]
      membersToRemove?: string[]
      membersReplacement?: string[]
    },
  ): Promise<GroupView>
  /** False when there was none. Groups below it move up to its parent; members, devices and endpoints stay, without it. */
  remove(id: string): Promise<boolean>
  /** The tree below a group, or the whole forest under `(root)`; undefined for an unknown id. Siblings by name. */
  summary(startId?: string): Promise<GroupTree | undefined>
}

export interface Tenancy {
  /** True when the device is part of the world of the user (id or e-mail) or group. Blank and unknown: false. */
  verify(question: { device: string; subject: string; kind: 'experienceUser' | 'experienceGroup' }): Promise<boolean>
  /** True when the user is a direct member of the group or of one above it. */
  verifyGroup(question: { user: string; group: string }): Promise<boolean>
}
