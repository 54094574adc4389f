import type { ResourceJobSettings } from '../store/documents/jobs.ts'
import { type Check, flag, oneOf, readBody, refused, text, whole } from './check.ts'

/** JSON text of an object. */
const contextText: Check<string> = (value, place) => {
  const written = text(0, 32_767)(value, place)
  if (written.trim() === '') return '{}'
  try {
    const read: unknown = JSON.parse(written)
    if (read !== null && typeof read === 'object' && !Array.isArray(read)) return written
  } catch {
    // Said below.
  }
  throw refused(place, 'JSON text of an object', value)
}

const fields = {
  name: text(1, 255),
  description: text(0, 32_767),
  resourceType: oneOf(['device', 'dataTableRow', 'experienceGroup', 'experienceUser']),
  queryJson: text(0, 8_192),
  dataTableId: text(0, 255),
  maxIterationConcurrency: ((value: unknown, place: string) => {
    if (value === 1 || value === 10) return value
    throw refused(place, '1 or 10', value)
  }) as Check<1 | 10>,
  iterationDelay: whole(0, 60_000),
  iterationTimeout: whole(60_000, 900_000),
  retryOnTimeout: flag,
  retryOnFailure: flag,
  maxIterationRetries: whole(1, 5),
  retryDelay: whole(0, 30_000),
  defaultContext: contextText,
}

/** How a job runs where it does not say. */
export const resourceJobDefaults = {
  ...{ queryJson: '{}', maxIterationConcurrency: 1 as const, iterationDelay: 0, iterationTimeout: 60_000 },
  ...{ retryOnTimeout: false, retryOnFailure: false, maxIterationRetries: 1, retryDelay: 0, defaultContext: '{}' },
}

/** Reads the body of a new job. Throws Refusal. */
export function readNewResourceJob(body: unknown) {
  const { name, resourceType, ...given } = readBody(body, fields, 'a resource job')
  if (name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
  if (resourceType === undefined) throw refused('resourceType', 'device, dataTableRow, ...', undefined)
  if (resourceType === 'dataTableRow' && !given.dataTableId)
    throw refused('dataTableId', 'the id of a table', undefined)
  return { ...resourceJobDefaults, name, resourceType, ...given }
}

/** Reads the body of an update; the type of its resources stays. Throws Refusal. */
export function readResourceJobPatch(body: unknown) {
  const { resourceType: _fixed, ...others } = fields
  return readBody(body, others, 'an update of a resource job')
}

/** What an execution runs by, however its job changes meanwhile. */
export function settingsOf(job: ResourceJobSettings): ResourceJobSettings {
  const { maxIterationConcurrency, iterationDelay, iterationTimeout, retryOnTimeout, retryOnFailure } = job
  const { maxIterationRetries, retryDelay } = job
  return {
    ...{ maxIterationConcurrency, iterationDelay, iterationTimeout, retryOnTimeout, retryOnFailure },
    ...{ maxIterationRetries, retryDelay },
  }
}
