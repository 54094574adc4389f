import { createHash } from 'node:crypto'
import type { UserView } from '../../nodes/services/people.ts'
import type { GroupDocument, UserDocument } from '../store/documents/people.ts'
import { fold } from '../store/fold.ts'
import type { AppStore } from '../store/port.ts'
import { chunks } from '../tenancy/batch.ts'
import { isoOf } from './listing.ts'

/** Users as flows see them: no secrets, direct groups by name, then id. Groups of all users are read in one go. */
export async function toUserViews(app: AppStore, users: readonly UserDocument[]): Promise<UserView[]> {
  const ids = [...new Set(users.flatMap((user) => user.experienceGroupIds))]
  const groups = new Map<string, GroupDocument>()
  for (const part of chunks(ids, 1_000)) {
    for (const group of await app.collection('groups').getMany(part)) groups.set(group.id, group)
  }
  return users.map((user) => toView(user, app.scope.application, groups))
}

function toView(user: UserDocument, applicationId: string, groups: ReadonlyMap<string, GroupDocument>): UserView {
  const direct = user.experienceGroupIds.map((id) => groups.get(id)).filter((group) => group !== undefined)
  return {
    id: user.id,
    experienceUserId: user.id,
    applicationId,
    email: user.email,
    ...(user.firstName === undefined ? {} : { firstName: user.firstName }),
    ...(user.lastName === undefined ? {} : { lastName: user.lastName }),
    avatarUrl: avatarOf(user.emailKey),
    userTags: { ...user.userTags },
    experienceGroups: direct.sort(byName).map(({ id, name, parentId }) => ({ id, name, parentId: parentId ?? null })),
    creationDate: isoOf(user.creationDate),
    lastUpdated: isoOf(user.lastUpdated),
    passwordLastUpdated: user.passwordLastUpdated === undefined ? null : isoOf(user.passwordLastUpdated),
    lastLogin: user.lastLogin === undefined ? null : isoOf(user.lastLogin),
    ...(user.tokenCutoff === undefined ? {} : { tokenCutoff: isoOf(user.tokenCutoff) }),
  }
}

/** By name as lists are ordered (without case), then by id. */
export function byName(a: { name: string; id: string }, b: { name: string; id: string }): number {
  const [left, right] = [fold(a.name), fold(b.name)]
  if (left !== right) return left < right ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** A picture made of the address alone: a disc in a colour of its own. No other host is asked. */
function avatarOf(emailKey: string): string {
  const hue = createHash('sha256').update(emailKey).digest().readUInt16BE(0) % 360
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='hsl(${hue},45%,55%)'/></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}
