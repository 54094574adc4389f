import { isId } from '../store/id.ts'

/**
 * True for a name that an application may be served under: 3 to 63 lower-case letters, digits and dashes, no dash at an end. What
 * has the form of an id is none: it is the address of the application with that id, whoever has it.
 */
export function isSlug(name: string): boolean {
  return /^[0-9a-z][0-9a-z-]{1,61}[0-9a-z]$/.test(name) && !isId(name)
}
