import type { Payload } from '../../engine/payload.ts'
import type { TagPair } from './listing.ts'

/** A job as flows see it. */
export interface JobView {
  id: string
  kind: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'canceled'
  /** `total` is null as long as it is not known; `percent` 0 to 100, null likewise. */
  progress: { completed: number; total: number | null; percent: number | null; status: string }
  output: Payload | null
  error: { code: string; message: string } | null
  creationDate: string
  endedAt: string | null
}

export interface Jobs {
  /**
   * Starts to write an archive of the devices that a user or group sees, with their history. Only `requestedBy`, a user (id or
   * e-mail), can download it. As long as an export of this user is not done, it is the one that is given. `baseUrl`: where the
   * experience is reached, for the link in the mail. Throws Refusal, also when that one is of other devices.
   */
  exportData(request: {
    subject: { kind: 'experienceUser' | 'experienceGroup'; id: string }
    requestedBy: string
    baseUrl: string
    /** Milliseconds since the epoch; default everything up to now. */
    start?: number
    end?: number
    /** Default all. */
    attributes?: string[]
    /** Default: to the user who asked; false: no mail. */
    mail?: boolean
  }): Promise<JobView>
  /**
   * Starts to create or update devices from CSV text (header: name and optionally description, deviceClass, and any tag keys). `tags` are
   * set on each device; `matchTag`: a row whose value of this tag a device has updates that device. Throws Refusal.
   */
  importDevices(request: {
    csv: string
    requestedBy: string
    tags: TagPair[]
    matchTag?: string
    recipeId?: string
  }): Promise<JobView>
  /** Jobs that this user (id or e-mail) asked for; undefined for those of others and unknown ones alike. */
  get(id: string, requestedBy: string): Promise<JobView | undefined>
  /** Newest first, at most 100. */
  list(requestedBy: string, kind?: string): Promise<JobView[]>
  /** False when it has ended, is unknown or someone else's. */
  cancel(id: string, requestedBy: string): Promise<boolean>
}

/** Work that is done for one resource after the other, by flows that listen to it. Every method throws Refusal. */
export interface ResourceJobs {
  /** Begins an execution and does not wait. What is not given is as the job has it; `context` takes the place of all of its own. */
  execute(request: {
    jobId: string
    context?: unknown
    queryJson?: string
    dataTableId?: string
  }): Promise<{ success: true; executionId: string }>
  /**
   * Ends an iteration that runs, from whatever run. `message` is cut at 256 characters. `accumulator` is kept for the iterations after
   * it, where there is one at a time. Times are ISO text.
   */
  acknowledge(request: {
    iterationId: string
    success: boolean
    message?: string
    accumulator?: unknown
  }): Promise<{ success: boolean; startedAt: string; completedAt: string; message?: string; accumulator?: string }>
}
