import type { PlanTrigger } from '../../engine/compile.ts'
import type { FileHappening } from '../resources/happenings.ts'
import type { Firing } from './state-triggers.ts'

/** The run that a change of a file begins at a trigger of type `app-file`: one or none. */
export function fileFirings({ key, config }: PlanTrigger, { action, file }: FileHappening, now: number): Firing[] {
  if (config[action] !== true) return []
  if (config[file._type === 'privateFile' ? 'private' : 'public'] !== true) return []
  return covers(key, pathOf(file)) ? [{ time: now, data: { action, file } }] : []
}

/** Where a file is: what its runs have as the id of their trigger. */
export function pathOf({ parentDirectory, name }: FileHappening['file']): string {
  return `${parentDirectory === '/' ? '' : parentDirectory}/${name}`
}

function covers(key: string, path: string): boolean {
  const wanted = key.startsWith('/') ? key : `/${key}`
  return wanted.endsWith('/') ? path.startsWith(wanted) : path === wanted
}
