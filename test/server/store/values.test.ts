import { describe, expect, test } from 'vitest'
import { adapters, own, strangers } from './adapters.ts'

for (const adapter of adapters) {
  describe(`${adapter.name}: values`, () => {
    const open = async () => (await adapter.open()).app(own).values

    test('gives back JSON, dates as ISO text, and removes by undefined', async () => {
      const values = await open()
      const given = { n: [1, null, 'x', { deep: true }], at: new Date(0) }
      await values.set('flow', 'k', given)
      expect(await values.get('flow', 'k')).toEqual({ ...given, at: '1970-01-01T00:00:00.000Z' })
      for (const value of [0, false, '', null]) {
        await values.set('flow', 'k', value)
        expect(await values.get('flow', 'k')).toBe(value)
      }
      await values.set('flow', 'k', undefined)
      await values.set('flow', 'never', undefined)
      expect(await values.get('flow', 'k')).toBeUndefined()
      expect(await values.entries('flow')).toEqual({})
    })

    test('lists a space alone, keys of any kind', async () => {
      const values = await open()
      await values.set('flow', '__proto__', { polluted: 1 })
      await values.set('flow', "a' OR 1=1", 2)
      await values.set('flow2', 'b', 3)
      await values.set('', '', 4)
      const entries = await values.entries('flow')
      expect(Object.keys(entries).toSorted()).toEqual(['__proto__', "a' OR 1=1"])
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      expect(await values.entries('')).toEqual({ '': 4 })
    })

    test('gives a value to one taker alone', async () => {
      const values = await open()
      await values.set('latch', 'k', 'once')
      const taken = await Promise.all([values.take('latch', 'k'), values.take('latch', 'k'), values.take('latch', 'x')])
      expect(taken.filter((value) => value !== undefined)).toEqual(['once'])
    })

    test('adds without losing one, from 0, and refuses what is no number', async () => {
      const values = await open()
      await Promise.all(Array.from({ length: 100 }, () => values.add('flow', 'n', 2)))
      expect(await values.get('flow', 'n')).toBe(200)
      expect(await values.add('flow', 'n', -0.5)).toBe(199.5)
      await values.set('flow', 's', '5')
      await values.set('flow', 'none', null)
      await expect(values.add('flow', 's', 1)).rejects.toMatchObject({ code: 'not-number' })
      await expect(values.add('flow', 'n', Number.NaN)).rejects.toMatchObject({ code: 'not-number' })
      expect(await values.get('flow', 's')).toBe('5')
      expect(await values.get('flow', 'n')).toBe(199.5)
    })

    test('swaps a value for another only where it is the one that is expected', async () => {
      const values = await open()
      expect(await values.swap('latch', 'k', { before: 1, after: 2 })).toBe(false)
      expect(await values.get('latch', 'k')).toBeUndefined()
      const first = { b: [new Date(0), null], a: 1 }
      expect(await values.swap('latch', 'k', { before: undefined, after: first })).toBe(true)
      expect(await values.swap('latch', 'k', { before: undefined, after: 3 })).toBe(false)
      expect(await values.swap('latch', 'other', { before: first, after: 3 })).toBe(false)
      const stored = await values.get('latch', 'k')
      const swapped = await Promise.all([4, 5, 6].map((after) => values.swap('latch', 'k', { before: stored, after })))
      expect(swapped.filter(Boolean)).toEqual([true])
      const now = await values.get('latch', 'k')
      expect(await values.swap('latch', 'k', { before: now, after: undefined })).toBe(true)
      expect(await values.get('latch', 'k')).toBeUndefined()
      await values.set('latch', 'null', null)
      expect(await values.swap('latch', 'null', { before: undefined, after: 1 })).toBe(false)
      expect(await values.swap('latch', 'null', { before: null, after: 0 })).toBe(true)
    })

    test.each(strangers)('is another one for $tenant/$application', async (stranger) => {
      const store = await adapter.open()
      const mine = store.app(own).values
      const theirs = store.app(stranger).values
      await mine.set('flow', 'k', 1)
      expect(await theirs.get('flow', 'k')).toBeUndefined()
      expect(await theirs.take('flow', 'k')).toBeUndefined()
      expect(await theirs.swap('flow', 'k', { before: 1, after: 2 })).toBe(false)
      expect(await theirs.add('flow', 'k', 5)).toBe(5)
      await theirs.set('flow', 'k', undefined)
      expect(await theirs.entries('flow')).toEqual({})
      expect(await mine.entries('flow')).toEqual({ k: 1 })
    })
  })

  describe(`${adapter.name}: hosts and applications`, () => {
    test('finds a host, moves it within its application, lists and removes it', async () => {
      const { hosts } = await adapter.open()
      const host = { name: 'b.example.com', scope: own, version: 'v1' }
      await hosts.put(host)
      await hosts.put({ name: 'a.example.com', scope: own })
      expect(await hosts.find('b.example.com')).toEqual(host)
      expect(await hosts.find('c.example.com')).toBeUndefined()
      await hosts.put({ ...host, version: 'v2' })
      expect(await hosts.of(own)).toEqual([
        { name: 'a.example.com', scope: own },
        { ...host, version: 'v2' },
      ])
      await hosts.remove('b.example.com', own)
      expect(await hosts.find('b.example.com')).toBeUndefined()
    })

    test.each(strangers)('refuses a host that another application has, to $tenant/$application', async (stranger) => {
      const { hosts } = await adapter.open()
      const host = { name: 'a.example.com', scope: own, version: 'v1' }
      await hosts.put(host)
      const taken = await hosts.put({ name: 'a.example.com', scope: stranger }).catch((error: Error) => error)
      expect(taken).toMatchObject({ code: 'conflict' })
      expect((taken as Error).message).not.toMatch(/t1|a1|v1/)
      await hosts.remove('a.example.com', stranger)
      expect(await hosts.find('a.example.com')).toEqual(host)
      expect(await hosts.of(stranger)).toEqual([])
    })

    test('lists the applications that have their document, by application id', async () => {
      const store = await adapter.open()
      expect(await store.applications()).toEqual([])
      for (const scope of [strangers[1], strangers[0], own]) {
        await store.app(scope).collection('application').insert({ name: 'x', globals: [], secret: 's' })
      }
      await store.app({ tenant: 't9', application: 'a9' }).values.set('s', 'k', 1)
      const found = await store.applications()
      expect(found.map(({ application }) => application)).toEqual(['a1', 'a1', 'a2'])
      expect(found).toEqual(expect.arrayContaining([own, ...strangers]))
    })

    test('answers a check until it is closed, then every call is refused as unavailable', async () => {
      const store = await adapter.open()
      const app = store.app(own)
      await store.check()
      await store.close()
      await store.close()
      await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' })
      await expect(app.collection('devices').find()).rejects.toMatchObject({ code: 'unavailable' })
      await expect(app.values.add('s', 'k', 1)).rejects.toMatchObject({ code: 'unavailable' })
      await expect(store.hosts.find('x')).rejects.toMatchObject({ code: 'unavailable' })
    })
  })
}
