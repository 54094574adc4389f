import { expect, test } from 'vitest'
import { openShares } from '../../../server/jobs/shares.ts'

const scope = (tenant: string, application: string) => ({ tenant, application })

test('a tenant has at most its share; what waited is called again as some of it gets free, in its order and once', () => {
  const again: string[] = []
  const shares = openShares(2, ({ tenant, application }) => again.push(`${tenant} ${application}`))
  const entered = ['a', 'b', 'c', 'd', 'c'].map((one) => shares.enter(scope('t', one)))
  expect(entered).toEqual([true, true, false, false, false])
  expect(shares.enter(scope('u', 'a'))).toBe(true)
  shares.leave(scope('u', 'a'))
  expect(again).toEqual([])
  for (const one of ['a', 'b']) shares.leave(scope('t', one))
  expect(again).toEqual(['t c', 't d'])
  expect(['c', 'd', 'e'].map((one) => shares.enter(scope('t', one)))).toEqual([true, true, false])
})
