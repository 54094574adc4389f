import { expect, onTestFinished, test } from 'vitest'
import type { Dispatch } from '../../../server/jobs/port.ts'
import type { Scope } from '../../../server/store/scope.ts'
import { dispatches } from './dispatches.ts'
import { gate, until } from './world.ts'

const scopeOf = (application: string): Scope => ({ tenant: 't:1 \n', application })

for (const { name, describe, open } of dispatches) {
  describe(`${name}: the line`, () => {
    async function started(make = open()): Promise<Dispatch> {
      const dispatch = await make()
      onTestFinished(() => dispatch.close())
      return dispatch
    }

    test('gives turns in the order of wakes, one for wakes that wait, and another at the end when there is more', async () => {
      const dispatch = await started()
      const turns: string[] = []
      const leave = gate()
      dispatch.onWake(async ({ application }) => {
        turns.push(application)
        await leave.passed
        return application === 'b' && turns.length < 3
      }, 1)
      dispatch.wake(scopeOf('a'))
      await until(
        () => turns.length,
        (length) => length === 1,
      )
      const awake = async (application: string) => {
        dispatch.wake(scopeOf(application))
        // The line is filled in the order of the calls.
        if (name !== 'local') await new Promise((resolve) => setTimeout(resolve, 50))
      }
      for (const application of ['b', 'b', 'c', 'b', 'c']) await awake(application)
      leave.open()
      await until(
        () => turns.length,
        (length) => length >= 4,
      )
      await dispatch.close()
      expect(turns).toEqual(['a', 'b', 'c', 'b'])
    })

    test('gives tenants their turns one after the other, however many applications they have', async () => {
      const dispatch = await started()
      const turns: string[] = []
      const leave = gate()
      dispatch.onWake(async ({ tenant, application }) => {
        turns.push(`${tenant} ${application}`)
        await leave.passed
        return false
      }, 1)
      const scopes = ['a 0', 'a 1', 'a 2', 'a 3', 'b 1', 'b 2', 'c 1'].map((one) => one.split(' ') as [string, string])
      for (const [tenant, application] of scopes) {
        dispatch.wake({ tenant, application })
        if (application === '0') {
          await until(
            () => turns.length,
            (length) => length === 1,
          )
        }
        // The line is filled in the order of the calls.
        if (name !== 'local') await new Promise((resolve) => setTimeout(resolve, 50))
      }
      leave.open()
      await until(
        () => turns.length,
        (length) => length === 7,
      )
      expect(turns).toEqual(['a 0', 'a 1', 'b 1', 'c 1', 'a 2', 'b 2', 'a 3'])
    })

    test('gives another turn for a wake during a turn, beside it', async () => {
      const dispatch = await started()
      let running = 0
      let most = 0
      const leave = gate()
      dispatch.onWake(async () => {
        running += 1
        most = Math.max(most, running)
        await leave.passed
        running -= 1
        return false
      }, 3)
      for (const count of [1, 2, 3]) {
        dispatch.wake(scopeOf('a'))
        await until(
          () => running,
          (now) => now === count,
        )
      }
      dispatch.wake(scopeOf('a'))
      dispatch.wake(scopeOf('b'))
      leave.open()
      await until(
        () => running,
        (now) => now === 0,
      )
      expect(most).toBe(3)
    })

    test('starts no turn once it is closed, and waits for those that run', async () => {
      const dispatch = await started()
      const turns: string[] = []
      const leave = gate()
      dispatch.onWake(async ({ application }) => {
        turns.push(application)
        await leave.passed
        return true
      }, 1)
      dispatch.wake(scopeOf('a'))
      await until(
        () => turns.length,
        (length) => length === 1,
      )
      let closed = false
      const closing = dispatch.close().then(() => {
        closed = true
      })
      dispatch.wake(scopeOf('b'))
      await new Promise((resolve) => setImmediate(resolve))
      expect(closed).toBe(false)
      leave.open()
      await closing
      dispatch.wake(scopeOf('c'))
      expect(turns).toEqual(['a'])
    })

    if (name === 'local') return

    test('tells another process, with the scope as it is', async () => {
      const make = open()
      const [web, worker] = [await started(make), await started(make)]
      const woken: Scope[] = []
      worker.onWake(async (scope) => {
        woken.push(scope)
        return false
      }, 1)
      await web.check()
      web.wake(scopeOf('Ä / %'))
      await until(
        () => woken.length,
        (length) => length === 1,
      )
      expect(woken).toEqual([scopeOf('Ä / %')])
    })
  })
}
