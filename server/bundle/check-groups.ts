import { Refusal } from '../../nodes/services/listing.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import { isId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { readAssociator } from '../tenancy/association.ts'
import { mostLevels } from '../tenancy/forest.ts'
import { type Problem, pointTo, problem } from './problem.ts'
import type { Bundle, Resource } from './read.ts'
import { declarationsOf, isReference, placeholdersIn } from './references.ts'

/** What tenancy would refuse of the groups of a bundle, each at its place: device queries, circles and too many levels. */
export async function checkGroups(bundle: Bundle): Promise<Problem[]> {
  const groups = bundle.resources.filter(({ kind }) => kind.name === 'ExperienceGroupTree')
  const byId = new Map(groups.filter(({ value }) => isReference(value.id)).map((one) => [one.value.id, one]))
  const problems: Problem[] = []
  for (const group of groups) {
    const { file, pointer } = group
    const query = await queryProblem(group)
    if (query !== undefined) {
      problems.push(problem('resource.field', file, query, { pointer: pointTo(pointer, 'deviceQueryJson') }))
    }
    const place = placeProblem(group, (one) => one.parent ?? byId.get(one.value.parentId))
    if (place !== undefined) problems.push(problem('resource.field', file, place, { pointer }))
  }
  return problems
}

/** The groups that users and groups name by ids of the store, and that neither the bundle nor the application has. */
export async function checkGroupIds(bundle: Bundle, app: AppStore): Promise<Problem[]> {
  const declared = declarationsOf(bundle)
  const named = bundle.resources.flatMap(namesIn).filter(({ id }) => isId(id) && !declared.has(id))
  const known = new Set<string>()
  for (let i = 0; i < named.length; i += 1_000) {
    const part = named.slice(i, i + 1_000).map(({ id }) => id)
    for (const { id } of await app.collection('groups').getMany(part)) known.add(id)
  }
  return named
    .filter(({ id }) => !known.has(id))
    .map(({ id, file, pointer }) =>
      problem('resource.field', file, `Expected the id of a group, got "${id}"`, { pointer }),
    )
}

function namesIn({ kind, value, file, pointer }: Resource): { id: string; file: string; pointer: string }[] {
  if (kind.name === 'ExperienceGroupTree')
    return [{ id: String(value.parentId), file, pointer: pointTo(pointer, 'parentId') }]
  if (kind.name !== 'ExperienceUser' || !Array.isArray(value.experienceGroupIds)) return []
  const at = pointTo(pointer, 'experienceGroupIds')
  return value.experienceGroupIds.map((id, index) => ({ id: String(id), file, pointer: pointTo(at, index) }))
}

async function queryProblem({ value }: Resource): Promise<string | undefined> {
  const text = value.deviceQueryJson
  // What is no JSON text has a problem already.
  if (typeof text !== 'string' || !isJson(text)) return undefined
  const known = placeholdersIn(text).reduce((query, token) => query.replace(token, anyId), text)
  try {
    await readAssociator({ deviceQueryJson: known } as GroupDocument, async () => [])
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** As good as the id that will stand there. */
const anyId = '0'.repeat(24)

function placeProblem(group: Resource, above: (one: Resource) => Resource | undefined): string | undefined {
  const seen = new Set([group])
  for (let next = above(group); next !== undefined; next = above(next)) {
    if (next === group) return 'Expected "parentId" to name a group that is not below it. Groups form a tree.'
    // The circle is of others, and told of them.
    if (seen.has(next)) return undefined
    seen.add(next)
    if (seen.size > mostLevels) return `Expected at most ${mostLevels} levels of groups. Choose a parent higher up.`
  }
  return undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // The answer.
    return false
  }
}
