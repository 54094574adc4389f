import { inject } from 'vitest'
import type { Store } from '../../../server/store/port.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { openTestMongo, openTestSqlite } from '../../helpers/store.ts'

const mongo = inject('mongo')
requireOrSkip('MongoDB', 'url' in mongo, 'reason' in mongo ? mongo.reason : '')

/** Every adapter passes the same tests; each opens an empty store for the running test, closed and removed some time after it. */
export const adapters: readonly { name: string; open(): Promise<Store> }[] = [
  { name: 'sqlite', open: openTestSqlite },
  ...('url' in mongo ? [{ name: 'mongo', open: openTestMongo }] : []),
]

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
