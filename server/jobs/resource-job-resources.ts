import { createHash } from 'node:crypto'
import { Refusal } from '../../nodes/services/listing.ts'
import { parseQuery } from '../query.ts'
import type { Resources } from '../resources/resources.ts'
import type { ResourceExecutionDocument } from '../store/documents/jobs.ts'
import { StoreError } from '../store/port.ts'
import { chunks } from '../tenancy/batch.ts'
import type { JobContext } from './port.ts'

/** The most resources of one execution. */
const mostIterations = 100_000
const writtenAtOnce = 500

const collections = { device: 'devices', experienceUser: 'users', experienceGroup: 'groups' } as const
const queried = { device: 'device', experienceUser: 'user', experienceGroup: 'group' } as const

/**
 * Writes an iteration for each resource that the execution is for, in order of their ids, and gives what is then known of the
 * execution. Begun again after it broke off, it leaves alone what is there.
 */
export async function listIterations(
  context: JobContext,
  execution: ResourceExecutionDocument,
  resources: Resources,
): Promise<{ total: number; error?: string }> {
  const iterations = context.app.collection('resourceIterations')
  try {
    const ids = await idsOf(context, execution, resources)
    let position = 0
    for (const part of chunks(ids, writtenAtOnce)) {
      context.signal.throwIfAborted()
      const documents = part.map((resourceId) => ({
        ...{ id: iterationId(execution.id, resourceId), executionId: execution.id, resourceId },
        ...{ position: position++, state: 'waiting' as const, attempt: 0, notBefore: 0 },
      }))
      await againWhereDuplicate(async () => {
        const there = new Set((await iterations.getMany(documents.map(({ id }) => id))).map(({ id }) => id))
        const missing = documents.filter(({ id }) => !there.has(id))
        if (missing.length > 0) {
          await context.write(missing.map((document) => ({ insert: 'resourceIterations' as const, document })))
        }
      })
    }
    return { total: ids.length }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { total: 0, error: error.message }
  }
}

/** Another worker may list the same at this moment: what it wrote is there then. */
async function againWhereDuplicate(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error
    await work()
  }
}

/** The resource as flows see it now; undefined when it is gone. */
export async function resourceOf(
  { resourceType, dataTableId }: ResourceExecutionDocument,
  id: string,
  { devices, users, groups, dataTables }: Resources,
): Promise<unknown> {
  switch (resourceType) {
    case 'device':
      return await devices.get(id, { tagsAsObject: true, attributesAsObject: true })
    case 'experienceUser':
      return await users.get(id)
    case 'experienceGroup':
      return (await groups.find({ by: 'id', id }, { perPage: 1, withoutCount: true })).items[0]
    case 'dataTableRow': {
      const row = dataTables.rows(dataTableId ?? '', { query: { id: { $eq: id } }, limit: 1 })
      // The whole table may be gone.
      return (await row.catch(undefinedForRefusal))?.items[0]
    }
  }
}

function undefinedForRefusal(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error
}

async function idsOf(
  { app, signal }: JobContext,
  { resourceType, dataTableId, query }: ResourceExecutionDocument,
  { tenancy, dataTables }: Resources,
): Promise<string[]> {
  const ids: string[] = []
  const take = (id: string) => {
    if (ids.push(id) <= mostIterations) return
    throw new Refusal('Validation', `Expected at most ${mostIterations} resources, the query finds more`)
  }
  if (resourceType === 'dataTableRow') {
    const order = { sortColumn: 'id', sortDirection: 'asc', limit: 1_000, includeFields: ['id'] } as const
    for (;;) {
      signal.throwIfAborted()
      const { items } = await dataTables.rows(dataTableId ?? '', { query, ...order, offset: ids.length })
      for (const { id } of items) take(id)
      if (items.length < order.limit) return ids
    }
  }
  const filter = await parseQuery(queried[resourceType], query, tenancy.queryWorld)
  for await (const { id } of app.collection(collections[resourceType]).each(filter) as AsyncIterable<{ id: string }>) {
    take(id)
  }
  return ids
}

function iterationId(executionId: string, resourceId: string): string {
  return createHash('sha256').update(`${executionId}\n${resourceId}`).digest('hex').slice(0, 24)
}
