import { Refusal } from '../../nodes/services/listing.ts'
import type { UserDocument } from '../store/documents/people.ts'
import { fold } from '../store/fold.ts'
import type { WriteOperation } from '../store/port.ts'
import { type Batch, chunks, matching } from './batch.ts'

/** The form of an e-mail address that is unique in an application. */
export function emailKeyOf(email: string): string {
  return fold(email.trim())
}

/** Operations on users with `emailKey` beside each `email`. */
export function withEmailKeys(operations: readonly WriteOperation[]): WriteOperation[] {
  return operations.map((operation): WriteOperation => {
    if ('insert' in operation && operation.insert === 'users') {
      return { ...operation, document: { ...operation.document, emailKey: emailKeyOf(operation.document.email) } }
    }
    if ('update' in operation && operation.update === 'users' && operation.change.email !== undefined) {
      return { ...operation, change: { ...operation.change, emailKey: emailKeyOf(operation.change.email) } }
    }
    return operation
  })
}

/**
 * Users name only groups that exist, each once; removed groups leave users and endpoints. Throws Refusal `Validation` for a
 * group that a written user names and that does not exist.
 */
export async function completeMembers(batch: Batch): Promise<void> {
  const { app, groups, users, endpoints } = batch
  const removed = groups.touched().filter((id) => groups.after(id) === undefined)
  const gone = new Set(removed)
  for (const part of chunks(removed, 500)) {
    const naming = { list: 'experienceGroupIds', has: part }
    for await (const user of matching(app.collection('users'), naming)) {
      if (!users.has(user.id)) users.derive(user, { experienceGroupIds: without(user.experienceGroupIds, gone) })
    }
    for await (const endpoint of matching(app.collection('endpoints'), naming)) {
      if (!endpoints.has(endpoint.id)) {
        endpoints.derive(endpoint, { experienceGroupIds: without(endpoint.experienceGroupIds, gone) })
      }
    }
  }
  for (const id of endpoints.touched()) {
    const endpoint = endpoints.after(id)
    if (endpoint) endpoints.derive(endpoint, { experienceGroupIds: without(endpoint.experienceGroupIds, gone) })
  }
  await checkUsers(batch, gone)
}

async function checkUsers({ app, users, groups }: Batch, gone: ReadonlySet<string>): Promise<void> {
  const added = new Map<string, UserDocument>()
  for (const id of users.touched()) {
    const user = users.after(id)
    if (user === undefined) continue
    const had = users.before(id)?.experienceGroupIds ?? []
    const has = [...new Set(user.experienceGroupIds)].filter((group) => !gone.has(group) || !had.includes(group))
    users.derive(user, { experienceGroupIds: has })
    for (const group of has) if (!had.includes(group)) added.set(group, user)
  }
  const unknown = [...added.keys()].filter((id) => groups.after(id) === undefined)
  for (const part of chunks(unknown, 1_000)) {
    const found = new Set((await app.collection('groups').getMany(part)).map((group) => group.id))
    const missing = part.find((id) => gone.has(id) || !found.has(id))
    if (missing === undefined) continue
    throw new Refusal(
      'Validation',
      `Expected "experienceGroupIds" of user "${added.get(missing)!.email}" to name groups, got "${missing}"`,
    )
  }
}

function without(ids: readonly string[], gone: ReadonlySet<string>): string[] {
  return ids.filter((id) => !gone.has(id))
}
