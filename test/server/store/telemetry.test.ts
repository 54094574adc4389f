import { describe, expect, test } from 'vitest'
import type { Aggregation, StatePoint, StateValue } from '../../../server/store/port.ts'
import { adapters, idOf, own, strangers } from './adapters.ts'

const [pump, valve] = [idOf(1), idOf(2)]
const whole = { start: 0, end: 1e15 }
const point = (time: number, data: Record<string, StateValue>, deviceId = pump): StatePoint => ({
  deviceId,
  time,
  data,
})

for (const adapter of adapters) {
  describe(`${adapter.name}: telemetry`, () => {
    const open = async () => (await adapter.open()).app(own).telemetry

    test('gives a range from its start to before its end, oldest or newest first, and keeps types', async () => {
      const telemetry = await open()
      const values: StateValue[] = [1.5, 'two', true, false, '', -3]
      await telemetry.append(values.map((value, n) => point(n * 10, { temp: value, other: n })))
      const range = { deviceId: pump, attribute: 'temp', ...whole }
      expect((await telemetry.range(range)).map(({ value }) => value)).toEqual(values)
      expect(await telemetry.range({ ...range, start: 10, end: 30 })).toEqual([
        { time: 10, value: 'two' },
        { time: 20, value: true },
      ])
      expect((await telemetry.range({ ...range, newest: true, limit: 2 })).map(({ time }) => time)).toEqual([50, 40])
      expect(await telemetry.range({ ...range, limit: 0 })).toEqual([])
      expect(await telemetry.range({ ...range, attribute: 'none' })).toEqual([])
      expect(await telemetry.range({ ...range, deviceId: idOf(404) })).toEqual([])
      await expect(telemetry.range({ ...range, limit: 25_001 })).rejects.toMatchObject({ code: 'limit' })
    })

    test('reads whole reports of a device, oldest first, over many pages', async () => {
      const store = await adapter.open()
      const { telemetry } = store.app(own)
      await store.app(strangers[0]).telemetry.append([point(5, { a: 'theirs' })])
      const many = Array.from({ length: 2_500 }, (_, n) => point(n, n % 2 === 0 ? { a: n } : { b: n, c: 'x' }))
      const extra = { ...point(-7, { a: -7 }), meta: { from: 'test' }, relay: { type: 'flow', id: idOf(9) } }
      await telemetry.append([...many, extra, point(1, { a: 0 }, valve)])
      const read = (query: { start: number; end: number; attributes?: string[] }) =>
        Array.fromAsync(telemetry.points({ deviceId: pump, ...query }))
      expect(await read({ start: -10, end: 1e15 })).toEqual([extra, ...many])
      expect(await read({ start: 1, end: 4 })).toEqual([many[1], many[2], many[3]])
      expect(await read({ start: 0, end: 4, attributes: ['b', 'none'] })).toEqual([
        point(1, { b: 1 }),
        point(3, { b: 3 }),
      ])
      expect(await read({ start: 4, end: 4 })).toEqual([])
      expect(await Array.fromAsync(telemetry.points({ deviceId: idOf(404), ...whole }))).toEqual([])
    })

    test('merges points of one millisecond', async () => {
      const telemetry = await open()
      await telemetry.append([point(10, { a: 1, b: 1 })])
      await telemetry.append([point(10, { b: 2, c: 2 })])
      const values = async (attribute: string) => telemetry.range({ deviceId: pump, attribute, ...whole })
      expect(await values('a')).toEqual([{ time: 10, value: 1 }])
      expect(await values('b')).toEqual([{ time: 10, value: 2 }])
      expect((await telemetry.last([pump])).get(pump)?.b).toEqual({ value: 2, time: 10 })
    })

    test('knows the last values by time, not by arrival, with what came along', async () => {
      const telemetry = await open()
      const relay = { type: 'user', id: idOf(9) }
      await telemetry.append([
        { ...point(200, { temp: 2, __proto__x: 1 }), meta: { line: 4 }, relay },
        point(100, { temp: 1, on: true }),
        point(150, { temp: 3 }, valve),
      ])
      const last = await telemetry.last([pump, valve, idOf(404), pump])
      expect([...last.keys()].toSorted()).toEqual([pump, valve])
      expect(last.get(pump)).toEqual({
        temp: { value: 2, time: 200, meta: { line: 4 }, relayId: idOf(9), relayType: 'user' },
        __proto__x: { value: 1, time: 200, meta: { line: 4 }, relayId: idOf(9), relayType: 'user' },
        on: { value: true, time: 100 },
      })
      expect((await telemetry.last([pump, valve], ['on'])).get(pump)).toEqual({ on: { value: true, time: 100 } })
      expect((await telemetry.last([pump, valve], ['on'])).has(valve)).toBe(false)
      expect((await telemetry.last([pump], [])).size).toBe(0)
    })

    test('keeps an attribute of a hostile name apart from objects', async () => {
      const telemetry = await open()
      const data = JSON.parse('{"__proto__": 5, "constructor": 6}') as Record<string, StateValue>
      await telemetry.append([point(1, data)])
      const found = (await telemetry.last([pump])).get(pump) ?? {}
      expect(Object.keys(found).toSorted()).toEqual(['__proto__', 'constructor'])
      expect(Object.getOwnPropertyDescriptor(found, '__proto__')?.value).toEqual({ value: 5, time: 1 })
      expect(({} as { value?: unknown }).value).toBeUndefined()
    })

    const aggregates: [Aggregation, number, [time: number, value: StateValue][]][] = [
      [
        'MEAN',
        100,
        [
          [0, 2.5],
          [100, 0.5],
          [300, 7],
        ],
      ],
      [
        'SUM',
        100,
        [
          [0, 10],
          [100, 1],
          [300, 7],
        ],
      ],
      [
        'MIN',
        100,
        [
          [0, 1],
          [100, 0],
          [300, 7],
        ],
      ],
      [
        'MAX',
        100,
        [
          [0, 4],
          [100, 1],
          [300, 7],
        ],
      ],
      [
        'COUNT',
        100,
        [
          [0, 4],
          [100, 3],
          [200, 1],
          [300, 1],
        ],
      ],
      [
        'FIRST',
        100,
        [
          [0, 1],
          [100, true],
          [200, 'text'],
          [300, 7],
        ],
      ],
      [
        'LAST',
        100,
        [
          [0, 4],
          [100, 'off'],
          [200, 'text'],
          [300, 7],
        ],
      ],
      ['SUM', 0, [[0, 18]]],
      ['LAST', 0, [[0, 7]]],
      ['COUNT', 0, [[0, 9]]],
      ['SUM', 1000, [[0, 18]]],
    ]
    test.each(aggregates)('aggregates %s by %d ms over all devices', async (aggregation, resolutionMs, expected) => {
      const telemetry = await open()
      await telemetry.append([
        point(10, { temp: 1 }),
        point(30, { temp: 2 }, valve),
        point(50, { temp: 3, other: 100 }),
        point(99, { temp: 4 }, valve),
        point(100, { temp: true }),
        point(110, { temp: false }),
        point(190, { temp: 'off' }, valve),
        point(250, { temp: 'text' }),
        point(300, { temp: 7 }),
        point(300, { temp: 1000 }, idOf(3)),
        point(500, { temp: 1000 }),
        point(-1, { temp: 1000 }),
      ])
      const query = { deviceIds: [pump, valve, pump], attribute: 'temp', start: 0, end: 500, resolutionMs, aggregation }
      expect((await telemetry.aggregate(query)).map(({ time, value }) => [time, value])).toEqual(expected)
    })

    test('puts times before 1970 into buckets below them', async () => {
      const telemetry = await open()
      await telemetry.append([point(-1, { temp: 1 }), point(-100, { temp: 2 }), point(-101, { temp: 3 })])
      const query = { deviceIds: [pump], attribute: 'temp', start: -1000, end: 0, resolutionMs: 100 }
      expect(await telemetry.aggregate({ ...query, aggregation: 'SUM' })).toEqual([
        { time: -200, value: 3 },
        { time: -100, value: 3 },
      ])
    })

    test('removes a range, finds the last values among what is left, and removes everything', async () => {
      const telemetry = await open()
      await telemetry.append([
        { ...point(100, { temp: 1, on: true }), meta: 'first' },
        point(200, { temp: 2 }),
        point(300, { temp: 3 }, valve),
      ])
      await telemetry.remove([pump], { start: 150, end: 250 })
      expect((await telemetry.last([pump, valve])).get(pump)).toEqual({
        temp: { value: 1, time: 100, meta: 'first' },
        on: { value: true, time: 100, meta: 'first' },
      })
      await telemetry.remove([pump])
      expect([...(await telemetry.last([pump, valve])).keys()]).toEqual([valve])
      expect(await telemetry.range({ deviceId: pump, attribute: 'temp', ...whole })).toEqual([])
      expect(await telemetry.range({ deviceId: valve, attribute: 'temp', ...whole })).toHaveLength(1)
    })

    test('removes the attributes that are named, and no others', async () => {
      const telemetry = await open()
      await telemetry.append([
        point(100, { temp: 1, on: true }),
        point(200, { temp: 2 }),
        point(300, { temp: 3 }, valve),
      ])
      await telemetry.remove([pump], { attributes: ['temp', 'unheard of'] })
      expect((await telemetry.last([pump])).get(pump)).toEqual({ on: { value: true, time: 100 } })
      expect(await telemetry.range({ deviceId: pump, attribute: 'temp', ...whole })).toEqual([])
      expect(await telemetry.range({ deviceId: valve, attribute: 'temp', ...whole })).toHaveLength(1)
      await telemetry.remove([pump], { attributes: [] })
      expect([...(await telemetry.last([pump])).keys()]).toEqual([pump])
    })

    test('keeps all points of a call or none', async () => {
      const telemetry = await open()
      await expect(telemetry.append([point(1, { temp: 1 }), point(Number.NaN, { temp: 2 })])).rejects.toMatchObject({
        code: 'limit',
      })
      expect(await telemetry.range({ deviceId: pump, attribute: 'temp', ...whole })).toEqual([])
    })

    test.each(strangers)('is another one for $tenant/$application', async (stranger) => {
      const store = await adapter.open()
      const mine = store.app(own).telemetry
      const theirs = store.app(stranger).telemetry
      const seen = (telemetry: typeof mine) =>
        Promise.all([
          telemetry.range({ deviceId: pump, attribute: 'temp', ...whole }),
          telemetry.last([pump]),
          telemetry.aggregate({ deviceIds: [pump], attribute: 'temp', ...whole, resolutionMs: 0, aggregation: 'SUM' }),
        ])
      await mine.append([point(1, { temp: 1 })])
      expect(await seen(theirs)).toEqual([[], new Map(), []])
      const before = await seen(mine)
      await theirs.remove([pump])
      await theirs.append([point(1, { temp: 50 }), point(2, { temp: 60 })])
      expect(await seen(mine)).toEqual(before)
      await mine.remove([pump])
      expect((await seen(theirs))[0]).toEqual([
        { time: 1, value: 50 },
        { time: 2, value: 60 },
      ])
    })
  })
}
