import type { Document, Tag } from './document.ts'

export interface UserDocument extends Document {
  email: string
  /** The e-mail address, folded: what is unique. */
  emailKey: string
  firstName?: string
  lastName?: string
  userTags: Record<string, string>
  experienceGroupIds: string[]
  /** argon2id in PHC form; undefined: no password opens this account. */
  passwordHash?: string
  passwordLastUpdated?: number
  /** When an import last set the password: equal to `passwordLastUpdated` as long as nobody has chosen another since. */
  passwordImportedAt?: number
  lastLogin?: number
  /** Tokens issued before are void. */
  tokenCutoff?: number
}

export interface GroupDocument extends Document {
  name: string
  description?: string
  parentId?: string
  /** Root first; without the group itself. Kept by tenancy. */
  ancestorIds: string[]
  groupTags: Record<string, string>
  deviceIds: string[]
  deviceTags: Partial<Tag>[]
  deviceQueryJson?: string
  /** What a device must have for its tags or the query to matter here. Derived; kept by tenancy (tenancy/anchors.ts). */
  anchors?: string[]
}

/**
 * The one document that each write of who sees what updates, so that two such writes never cross unseen. Kept by tenancy
 * (tenancy/write.ts).
 */
export interface TenancyDocument extends Document {
  writes: number
}
