import { FlowError } from '../engine/errors.ts'

/** Throws `credential.missing` for the name of a stored credential: none is kept here. Blank: nothing is asked for. */
export function refuseCredential(name: string): void {
  if (name.trim() === '') return
  throw new FlowError(
    'credential.missing',
    `Expected the name of a stored credential, got "${name.slice(0, 100)}", which does not exist. Give the key or secret itself.`,
  )
}
