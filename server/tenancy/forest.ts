import { Refusal } from '../../nodes/services/listing.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import type { Filter } from '../store/port.ts'
import { type Batch, chunks, matching } from './batch.ts'

/** Most levels of groups below each other. */
export const mostLevels = 50

/**
 * Children of removed groups go to the nearest group above that stays; `ancestorIds` of every inserted or moved group and of
 * all groups below it are computed anew. Throws Refusal `Validation` for a missing parent, a cycle and too many levels.
 */
export async function completeForest(batch: Batch): Promise<void> {
  const { groups } = batch
  await adopt(batch)
  const moved = groups.touched().filter((id) => {
    const after = groups.after(id)
    return after !== undefined && (groups.before(id) === undefined || after.parentId !== groups.before(id)?.parentId)
  })
  const known = new Map<string, GroupDocument>()
  for (const part of chunks(moved, 500)) {
    for await (const below of matching(batch.app.collection('groups'), { list: 'ancestorIds', has: part })) {
      if (!groups.has(below.id)) groups.derive(below, { ancestorIds: await ancestorsOf(below, batch, known) })
    }
  }
  for (const id of groups.touched()) {
    const group = groups.after(id)
    if (group !== undefined) groups.derive(group, { ancestorIds: await ancestorsOf(group, batch, known) })
  }
}

/** Root first. `known` keeps groups of the store that were read on the way. */
async function ancestorsOf(group: GroupDocument, batch: Batch, known: Map<string, GroupDocument>): Promise<string[]> {
  const above: string[] = []
  const seen = new Set([group.id])
  let parentId = group.parentId
  while (parentId !== undefined && parentId !== null) {
    if (seen.has(parentId)) {
      throw new Refusal(
        'Validation',
        `Expected "parentId" of group "${group.name}" to name a group that is not below it, got "${parentId}". Groups form a tree.`,
      )
    }
    seen.add(parentId)
    above.push(parentId)
    if (above.length >= mostLevels) {
      throw new Refusal(
        'Validation',
        `Group "${group.name}" would lie deeper than ${mostLevels} levels. Choose a parent higher up.`,
      )
    }
    const parent = await find(parentId, batch, known)
    if (parent === undefined) {
      throw new Refusal('Validation', `Expected "parentId" of group "${group.name}" to name a group, got "${parentId}"`)
    }
    parentId = parent.parentId
  }
  return above.reverse()
}

async function find(id: string, batch: Batch, known: Map<string, GroupDocument>): Promise<GroupDocument | undefined> {
  if (batch.groups.has(id)) return batch.groups.after(id)
  if (known.has(id)) return known.get(id)
  const collection = batch.app.collection('groups')
  const group = await collection.get(id)
  if (group === undefined) return undefined
  known.set(id, group)
  for (const above of await collection.getMany(group.ancestorIds)) known.set(above.id, above)
  return group
}

/** Children of removed groups, in the store or in the batch, go up to the first group that stays. */
async function adopt({ app, groups }: Batch): Promise<void> {
  const removed = new Map<string, GroupDocument>()
  for (const id of groups.touched()) {
    const before = groups.before(id)
    if (before !== undefined && groups.after(id) === undefined) removed.set(id, before)
  }
  const heir = (id: string | undefined): string | undefined => {
    let next = id
    for (let steps = 0; next !== undefined && removed.has(next) && steps <= removed.size; steps++) {
      next = removed.get(next)!.parentId
    }
    return next
  }
  for (const part of chunks([...removed.keys()], 500)) {
    const children: Filter = { field: 'parentId', op: 'in', value: part }
    for await (const child of matching(app.collection('groups'), children)) {
      if (!groups.has(child.id)) groups.derive(child, { parentId: heir(child.parentId) })
    }
  }
  for (const id of groups.touched()) {
    const child = groups.after(id)
    if (child?.parentId !== undefined && removed.has(child.parentId)) {
      groups.derive(child, { parentId: heir(child.parentId) })
    }
  }
}
