import type { JobDocument, JobProgress } from '../store/documents/jobs.ts'
import type { AppStore, WriteOperation } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'

/**
 * Work that takes long, or that must survive the process it was asked in. The jobs stand in the store of their application,
 * which alone says what is to be done: a Dispatch only tells workers when to look. At least once: a job whose worker died
 * is started again, until `mostAttempts`.
 */
export interface Queue {
  /** The jobs of one application; cheap, without I/O. */
  of(app: AppStore): Jobs
  /** Takes jobs of these kinds from now on; once. */
  work(definitions: readonly JobDefinition[]): void
  /** Jobs that run in this process. */
  running(): number
  /** Rejects when what dispatches cannot be reached; jobs are still taken, and found a little later. */
  check(): Promise<void>
  /** Takes no more jobs, lets those that run end for up to `drainMs`, then gives them back for others to start again. */
  close(drainMs?: number): Promise<void>
}

export interface NewJob {
  kind: string
  input: unknown
  /**
   * One job of the application for each key, as long as that one is kept: a second `add` gives the first job. At most 500
   * characters. Default: a new job for each call.
   */
  key?: string
  /** Milliseconds since the epoch; default now. */
  dueAt?: number
  requestedBy?: { type: string; id: string }
  /** Default that of the kind, as the worker that takes it says. */
  mostAttempts?: number
}

export interface Jobs {
  /** Resolves when the job is in the store. Throws Refusal `Validation` for input above 1 MB of JSON. */
  add(job: NewJob): Promise<JobDocument>
  /**
   * What adds a job together with other writes, in one `AppStore.write` or `JobContext.write`: all or nothing. A key that is
   * taken makes that write fail with StoreError `duplicate`. To be followed by `wake`.
   */
  insertion(job: NewJob): WriteOperation
  /** Says that there is work now, or at `dueAt`. Never throws: what nobody was told of is found a little later. */
  wake(dueAt?: number): void
  get(id: string): Promise<JobDocument | undefined>
  byKey(key: string): Promise<JobDocument | undefined>
  /** A queued job ends at once, a running one when its handler sees the signal. False when it has ended or is unknown. */
  cancel(id: string): Promise<boolean>
  /** Queues a failed or canceled job again, with all its attempts. False when it is neither. */
  retry(id: string): Promise<boolean>
  /** Queues all failed jobs, of one kind or all, again; gives their number. */
  retryFailed(kind?: string): Promise<number>
}

export interface JobDefinition {
  kind: string
  /** Default 5. */
  mostAttempts?: number
  /** Wait before the n-th retry is random in [d/2, d), d = min(first * 2^(n-1), most); default 1,000 and 300,000 ms. */
  backoffMs?: { first: number; most: number }
  run(context: JobContext): Promise<JobResult | undefined>
}

export interface JobResult {
  output?: unknown
  /** Written together with the end of the job: all or nothing, and only while the job is still this worker's. */
  operations?: readonly WriteOperation[]
}

/** One start of a job. Every write is fenced: once another worker has the job, they throw JobLost. */
export interface JobContext {
  app: AppStore
  id: string
  kind: string
  input: unknown
  /** From 1. */
  attempt: number
  requestedBy: JobDocument['requestedBy']
  /** Aborts when the job is canceled, was lost, or the process stops. */
  signal: AbortSignal
  /** Written at most once a second, the last one always. Throws JobLost. */
  progress(progress: JobProgress): Promise<void>
  /** Writes documents together with the proof that the job is still this worker's. Throws JobLost, and as AppStore.write. */
  write(operations: readonly WriteOperation[]): Promise<void>
}

/** The job was taken over, canceled or removed: what its handler does from here on counts for nothing. */
export class JobLost extends Error {
  constructor() {
    super('The job is no longer this worker’s')
    this.name = 'JobLost'
  }
}

/** Thrown by a handler to fail a job for good: no retry would help. The message is shown to whoever asked for the job. */
export class JobFailed extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'JobFailed'
    this.code = code
  }
}

/** What became of a start of a job: `retried` and `returned` (by a process that stops) are queued again. */
export interface JobEnd {
  kind: string
  status: 'done' | 'failed' | 'canceled' | 'retried' | 'returned' | 'lost'
  /** From its start. */
  milliseconds: number
}

/**
 * Tells workers of an application's jobs, over processes. Only a hint: a wake that is lost, doubled or late does no harm, since
 * workers look by themselves as well. Tenants get their turns one after the other, and so do the applications of a tenant.
 */
export interface Dispatch {
  /** How often workers should look by themselves: seldom, where wakes reach other processes; default 1,000. */
  readonly lookMs?: number
  /** Puts the application at the end of its tenant's line, unless it waits there already. Never throws and never waits. */
  wake(scope: Scope): void
  /**
   * Calls `turn` for each application in line, at most `concurrency` at once; once. It leaves the line as its turn begins: when
   * it is woken during that, it gets another turn, beside the first when there is room. When `turn` gives true there is more
   * to do: the application goes to the end of that line. `turn` never rejects.
   */
  onWake(turn: (scope: Scope) => Promise<boolean>, concurrency: number): void
  /** Rejects when wakes do not reach other processes now. */
  check(): Promise<void>
  /** Starts no more turns; resolves when those that run have ended. Until then it may be woken. */
  close(): Promise<void>
}
