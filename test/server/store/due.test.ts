import { describe, expect, test } from 'vitest'
import type { AppStore, Store } from '../../../server/store/port.ts'
import { adapters, own, strangers } from './adapters.ts'

const job = (key: string, times: { dueAt?: number; leaseUntil?: number }) => ({
  ...{ kind: 'work', key, status: 'queued' as const, input: {}, progress: { completed: 0 }, attempts: 0 },
  ...{ requestedBy: { type: 'system', id: 'system' }, ...times },
})
const add = (app: AppStore, key: string, times: { dueAt?: number; leaseUntil?: number }) =>
  app.collection('jobs').insert(job(key, times))
const [second, third] = strangers
const dueOf = async (store: Store, field: string, until: number) => {
  const found = await store.due('jobs', field, until)
  return found.map(({ scope, at }) => [scope.tenant, scope.application, at]).toSorted()
}

for (const adapter of adapters) {
  describe(`${adapter.name}: what is due`, () => {
    test('names each application once, with its earliest, and none where all is later or over', async () => {
      const store = await adapter.open()
      expect(await store.due('jobs', 'dueAt', Number.POSITIVE_INFINITY)).toEqual([])
      for (const dueAt of [300, 100, 200]) await add(store.app(own), `${dueAt}`, { dueAt })
      await add(store.app(second), 'a', { dueAt: 250 })
      await add(store.app(third), 'b', { dueAt: 400 })
      await add(store.app(third), 'c', { leaseUntil: 50 })
      expect(await dueOf(store, 'dueAt', 99)).toEqual([])
      expect(await dueOf(store, 'dueAt', 100)).toEqual([['t1', 'a1', 100]])
      expect(await dueOf(store, 'dueAt', 399)).toEqual([
        ['t1', 'a1', 100],
        ['t1', 'a2', 250],
      ])
      expect(await dueOf(store, 'leaseUntil', Number.POSITIVE_INFINITY)).toEqual([['t2', 'a1', 50]])
    })

    test('follows changes and removals, in the same step as they are made', async () => {
      const store = await adapter.open()
      const jobs = store.app(own).collection('jobs')
      const { id } = await add(store.app(own), 'a', { dueAt: 10 })
      await jobs.update(id, { dueAt: undefined, leaseUntil: 30 })
      expect([await dueOf(store, 'dueAt', 99), await dueOf(store, 'leaseUntil', 99)]).toEqual([[], [['t1', 'a1', 30]]])
      await jobs.update(id, { leaseUntil: 200 })
      expect(await dueOf(store, 'leaseUntil', 99)).toEqual([])
      await jobs.remove(id)
      expect(await dueOf(store, 'leaseUntil', 999)).toEqual([])
      const removed = store.app(own).write([
        { insert: 'jobs', document: job('b', { dueAt: 1 }) },
        { remove: 'jobs', id: 'f'.repeat(24), revision: 1 },
      ])
      await expect(removed).rejects.toMatchObject({ code: 'missing' })
      expect(await dueOf(store, 'dueAt', 999)).toEqual([])
    })

    test('a long line of one application hides nobody behind it', async () => {
      const store = await adapter.open()
      const flood = Array.from({ length: 1_200 }, (_, n) => ({
        insert: 'jobs' as const,
        document: job(`${n}`, { dueAt: n }),
      }))
      await store.app(own).write(flood)
      await add(store.app(second), 'late', { dueAt: 5_000 })
      await add(store.app(third), 'in between', { dueAt: 600 })
      expect(await dueOf(store, 'dueAt', 9_999)).toEqual([
        ['t1', 'a1', 0],
        ['t1', 'a2', 5_000],
        ['t2', 'a1', 600],
      ])
    })

    test('refuses a field that no such line is kept of', async () => {
      const store = await adapter.open()
      for (const [name, field] of [
        ['jobs', 'endedAt'],
        ['devices', 'name'],
      ] as const) {
        await expect(store.due(name, field, 1)).rejects.toMatchObject({ code: 'field' })
      }
    })
  })

  describe(`${adapter.name}: what is not settled`, () => {
    const flow = (name: string) => ({
      ...{ name, flowClass: 'cloud' as const, enabled: true },
      content: { triggers: [], nodes: [], globals: [] },
    })
    const unsettled = async (store: Store) =>
      (await store.unsettled()).map(({ scope, revision }) => [scope.tenant, scope.application, revision]).toSorted()

    test('is each application whose definitions were written, until that revision is settled', async () => {
      const store = await adapter.open()
      expect(await unsettled(store)).toEqual([])
      await store.app(own).collection('flows').insert(flow('a'))
      await store.app(second).collection('flows').insert(flow('a'))
      // No definition.
      await add(store.app(third), 'a', { dueAt: 1 })
      expect(await unsettled(store)).toEqual([
        ['t1', 'a1', 1],
        ['t1', 'a2', 1],
      ])
      await store.settle(own, 1)
      await store.settle(own, 1)
      expect(await unsettled(store)).toEqual([['t1', 'a2', 1]])
      const { id } = (await store.app(own).collection('flows').find())[0]!
      await store.app(own).collection('flows').update(id, { enabled: false })
      expect(await unsettled(store)).toContainEqual(['t1', 'a1', 2])
      await store.app(own).collection('flows').remove(id)
      // Too late: it has changed since.
      await store.settle(own, 2)
      expect(await unsettled(store)).toContainEqual(['t1', 'a1', 3])
      expect(await store.app(own).revision()).toBe(3)
      await store.settle(own, 3)
      expect(await unsettled(store)).toEqual([['t1', 'a2', 1]])
    })

    test('what nobody knows can be settled', async () => {
      const store = await adapter.open()
      await store.settle(third, 1)
      expect(await store.unsettled()).toEqual([])
      expect(await store.app(third).revision()).toBe(0)
    })
  })
}
