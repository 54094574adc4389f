import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'

/** Every adapter passes the same tests; each opens an empty store that is closed and removed after the tests of the file. */
export const adapters: readonly { name: string; open(): Promise<Store> }[] = [{ name: 'sqlite', open: openTestStore }]

/** The application under test, and the two that could be mistaken for it. */
export const own = { tenant: 't1', application: 'a1' }
export const strangers = [
  { tenant: 't1', application: 'a2' },
  { tenant: 't2', application: 'a1' },
] as const

/** A document id that is easily recognised. */
export function idOf(n: number): string {
  return n.toString(16).padStart(24, '0')
}
