import type { Document } from './document.ts'

/**
 * Work on the queue. Its `revision` is the fence: a worker writes with the revision that it knows, so that one whose job was
 * taken over is refused. Waiting jobs have `dueAt`, running ones `leaseUntil`, the others neither.
 */
export interface JobDocument extends Document {
  kind: string
  /** The idempotency key: one job of an application for each; the id where none was given. */
  key: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'canceled'
  /** JSON, at most 1 MB of text. */
  input: unknown
  output?: unknown
  progress: JobProgress
  /** How often it was started. */
  attempts: number
  /** How often it may be started; undefined: as the worker that has it says for its kind. */
  mostAttempts?: number
  dueAt?: number
  leaseUntil?: number
  /** Which of the application's places for running jobs it has: unique, so that no more run at a time than there are. */
  slot?: string
  /** A name of this start alone, by which its worker knows the job again when someone asked for its end. */
  startId?: string
  startedAt?: number
  endedAt?: number
  error?: { code: string; message: string }
  /** Set while it runs: its worker stops at the next chance. */
  cancelRequested?: boolean
  requestedBy: { type: string; id: string }
}

export interface JobProgress {
  completed: number
  /** Undefined: not known yet. */
  total?: number
  /** A word or sentence for a person. */
  status?: string
}

/** Work to be done once for each of many resources, in the published form (reference: data-export-and-jobs 4). */
export interface ResourceJobDocument extends Document, ResourceJobSettings {
  name: string
  description?: string
  resourceType: 'device' | 'dataTableRow' | 'experienceGroup' | 'experienceUser'
  /** A template that gives the JSON of a query. */
  queryJson: string
  dataTableId?: string
  /** JSON text. */
  defaultContext: string
  lastExecutionRequested?: number
}

/** Times are milliseconds. */
export interface ResourceJobSettings {
  maxIterationConcurrency: 1 | 10
  iterationDelay: number
  iterationTimeout: number
  retryOnTimeout: boolean
  retryOnFailure: boolean
  maxIterationRetries: number
  retryDelay: number
}

/** One execution of a resource job, by the settings that the job had. Its `revision` is the fence of its steps. */
export interface ResourceExecutionDocument extends Document, ResourceJobSettings {
  jobId: string
  name: string
  resourceType: ResourceJobDocument['resourceType']
  dataTableId?: string
  status: 'inProgress' | 'canceling' | 'completed' | 'errored' | 'canceled'
  context: Record<string, unknown>
  query: unknown
  /** JSON text. */
  accumulator?: string
  /** How many resources there were; undefined: they are being listed. */
  total?: number
  startedAt: number
  lastStartAt?: number
  completedAt?: number
  summary?: Record<'succeeded' | 'failed' | 'timedOut' | 'inProgress' | 'remaining', number>
  /** Why no resources could be listed. */
  error?: string
  /** Of the run that executed it: how many lie before. */
  depth: number
  sourceType: string
  sourceId: string
  cancelSourceType?: string
  cancelSourceId?: string
}

/** One resource of an execution. Its id is made of both. */
export interface ResourceIterationDocument extends Document {
  executionId: string
  resourceId: string
  position: number
  state: 'waiting' | 'running' | 'succeeded' | 'failed' | 'timedOut'
  /** How often it was started. */
  attempt: number
  notBefore: number
  startedAt?: number
  /** While it runs. */
  deadline?: number
  completedAt?: number
  message?: string
}
