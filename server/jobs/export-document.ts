import type { TenancyRule } from '../tenancy/rule.ts'

/** The kind of the jobs that write archives. */
export const exportKind = 'data-export'

/** How long an archive can be downloaded once it is ready. */
export const exportLifetimeMs = 24 * 60 * 60 * 1000

/** Where archives are downloaded, on every host of their application. */
export const EXPORTS_PREFIX = '/_exports/'

/** Whose devices: those that `list` gives for the user or the group. */
export interface ExportSubject {
  kind: 'experienceUser' | 'experienceGroup'
  id: string
}

export interface ExportInput {
  subject: ExportSubject
  /** Milliseconds since the epoch; start <= time < end. Fixed when the job is asked for, so that each attempt writes the same. */
  start: number
  end: number
  attributes?: string[]
  /** Where the experience is reached, as `https://shop.example.com`: for the link in the mail. */
  origin: string
  mail: boolean
}

export interface ExportOutput {
  blobKey: string
  fileName: string
  sizeBytes: number
  sha256: string
  devices: number
  points: number
  /** Path on the hosts of the application. */
  downloadPath: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/**
 * Whether a user (by id) may have an export now: of the own devices always, of a group as a member of it or of one above. False
 * for users and groups that are not there.
 */
export async function mayHave(
  tenancy: Pick<TenancyRule, 'user' | 'verifyGroup'>,
  userId: string,
  subject: ExportSubject,
): Promise<boolean> {
  if ((await tenancy.user(userId)) === undefined) return false
  if (subject.kind === 'experienceUser') return subject.id === userId
  return await tenancy.verifyGroup({ user: userId, group: subject.id })
}
