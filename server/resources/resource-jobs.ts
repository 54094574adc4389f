import { FlowError } from '../../engine/errors.ts'
import { openTemplates } from '../../engine/template.ts'
import type { ResourceJobs } from '../../nodes/services/jobs.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { Jobs } from '../jobs/port.ts'
import type {
  ResourceExecutionDocument,
  ResourceIterationDocument,
  ResourceJobDocument,
} from '../store/documents/jobs.ts'
import { newId } from '../store/id.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import { isObject, refused } from './check.ts'
import type { Actor } from './happenings.ts'
import { isoOf } from './listing.ts'
import { settingsOf } from './resource-job-fields.ts'
import { again, refusing } from './writing.ts'

/** The kind of the jobs of the queue that take an execution further. */
export const resourceJobKind = 'resource-job'

export const mostDepth = 20
const mostExecutions = 100
const mostContextBytes = 64 * 1024
const mostMessage = 256
const mostAccumulator = 256

/** Resource jobs, with what flows reach through the API node. */
export interface ResourceJobResource extends ResourceJobs {
  /** No more iterations begin; those that run may end. Throws Refusal for an execution that is unknown or has ended. */
  cancel(jobId: string, executionId: string): Promise<void>
  /** Newest first. */
  logs(jobId: string, limit: number): Promise<ResourceExecutionDocument[]>
}

export interface ResourceJobDeps {
  app: AppStore
  now(): number
  jobs: Jobs
  actor: Actor
}

const templates = openTemplates()

/** The resource jobs of one application, as `actor` executes and acknowledges them. */
export function openResourceJobs({ app, now, jobs, actor }: ResourceJobDeps): ResourceJobResource {
  const executions = app.collection('resourceExecutions')
  const iterations = app.collection('resourceIterations')

  async function existing(jobId: string): Promise<ResourceJobDocument> {
    const job = await app.collection('resourceJobs').get(jobId.trim().toLowerCase())
    if (job === undefined)
      throw new Refusal('NotFound', `Expected the id of a resource job, got "${jobId.slice(0, 80)}"`)
    return job
  }

  const furtherOf = (executionId: string) => furtherJob(jobs, executionId, actor)

  return {
    async execute({ jobId, context, queryJson, dataTableId }) {
      const job = await existing(jobId)
      if (actor.depth >= mostDepth)
        throw new Refusal('RateLimit', 'Expected no jobs that start each other without an end')
      const going = await executions.count({ field: 'completedAt', op: 'eq', value: null })
      if (going >= mostExecutions) {
        throw new Refusal('RateLimit', `Expected at most ${mostExecutions} executions at a time; try again later`)
      }
      const ctx = checkedContext(context ?? JSON.parse(job.defaultContext))
      const query = render(queryJson || job.queryJson, ctx, 'queryJson', 'json')
      const table = render(dataTableId || (job.dataTableId ?? ''), ctx, 'dataTableId', 'text')
      const execution = {
        ...{
          id: newId(),
          jobId: job.id,
          name: job.name,
          resourceType: job.resourceType,
          status: 'inProgress' as const,
        },
        ...{ context: ctx, query, ...settingsOf(job), depth: actor.depth, startedAt: now() },
        ...(table === '' ? {} : { dataTableId: String(table).trim().toLowerCase() }),
        ...{ sourceType: actor.type, sourceId: actor.id },
      }
      await app.write([
        { insert: 'resourceExecutions', document: execution },
        { update: 'resourceJobs', id: job.id, change: { lastExecutionRequested: now() } },
        furtherOf(execution.id),
      ])
      jobs.wake()
      return { success: true, executionId: execution.id }
    },

    async acknowledge({ iterationId, success, message, accumulator }) {
      const id = iterationId.trim().toLowerCase()
      const text = accumulator === undefined ? undefined : accumulatorText(accumulator)
      return await again(async () => {
        const iteration = await iterations.get(id)
        const execution = iteration && (await executions.get(iteration.executionId))
        if (iteration?.state !== 'running' || execution === undefined || now() >= iteration.deadline!) {
          throw new Refusal('NotFound', 'Expected the id of an iteration that waits to be acknowledged')
        }
        const said = message === undefined || message === '' ? {} : { message: message.slice(0, mostMessage) }
        const kept = text !== undefined && execution.maxIterationConcurrency === 1 ? { accumulator: text } : {}
        const retried = !success && execution.retryOnFailure && mayRetry(execution, iteration)
        const change = retried
          ? { ...waitingAgain(execution, now()), ...said }
          : { state: success ? ('succeeded' as const) : ('failed' as const), completedAt: now(), ...said }
        const operations: WriteOperation[] = [
          { update: 'resourceIterations', id, change, revision: iteration.revision },
          ...('accumulator' in kept ? [{ update: 'resourceExecutions', id: execution.id, change: kept } as const] : []),
          furtherOf(execution.id),
        ]
        await refusing(app.write(operations), '')
        jobs.wake()
        const times = { startedAt: isoOf(iteration.startedAt!), completedAt: isoOf(now()) }
        return { success, ...times, ...said, ...kept }
      })
    },

    async cancel(jobId, executionId) {
      await again(async () => {
        const execution = await executions.get(executionId.trim().toLowerCase())
        if (execution?.jobId !== jobId.trim().toLowerCase() || execution.status !== 'inProgress') {
          throw new Refusal('NotFound', 'Execution was not found, or has ended')
        }
        const change = { status: 'canceling' as const, cancelSourceType: actor.type, cancelSourceId: actor.id }
        await app.write([
          { update: 'resourceExecutions', id: execution.id, change, revision: execution.revision },
          furtherOf(execution.id),
        ])
        jobs.wake()
      })
    },

    async logs(jobId, limit) {
      const filter: Filter = { field: 'jobId', op: 'eq', value: (await existing(jobId)).id }
      return await executions.find({ filter, sort: { field: 'creationDate', direction: 'desc' }, limit })
    },
  }
}

/** What asks a worker to take an execution further now. */
export function furtherJob(jobs: Jobs, executionId: string, by?: { type: string; id: string }): WriteOperation {
  const requestedBy = by && { type: by.type, id: by.id }
  return jobs.insertion({ kind: resourceJobKind, input: { executionId }, requestedBy, mostAttempts: 100 })
}

/** Attempts are counted from 1; the first is no retry. */
export function mayRetry(execution: ResourceExecutionDocument, { attempt }: ResourceIterationDocument): boolean {
  return execution.status === 'inProgress' && attempt <= execution.maxIterationRetries
}

/** What makes an iteration wait for its next attempt. */
export function waitingAgain({ retryDelay }: ResourceExecutionDocument, now: number) {
  return { state: 'waiting' as const, notBefore: now + retryDelay, deadline: undefined }
}

function checkedContext(context: unknown): Record<string, unknown> {
  if (!isObject(context)) throw refused('context', 'an object', context)
  const bytes = Buffer.byteLength(JSON.stringify(context))
  if (bytes <= mostContextBytes) return JSON.parse(JSON.stringify(context)) as Record<string, unknown>
  throw new Refusal('Validation', `Expected "context" to be at most ${mostContextBytes} bytes of JSON, got ${bytes}`)
}

function render(source: string, ctx: unknown, place: string, kind: 'json' | 'text'): unknown {
  if (source.trim() === '') return kind === 'json' ? {} : ''
  try {
    return templates[kind](source)({ ctx })
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    throw new Refusal('Validation', `"${place}" of the resource job: ${error.message}`, { cause: error })
  }
}

/** JSON text. Throws Refusal for more than 256 characters of it. */
function accumulatorText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  if (text.length <= mostAccumulator) return text
  throw new Refusal(
    'Validation',
    `Expected an accumulator of at most ${mostAccumulator} characters, got ${text.length}`,
  )
}
