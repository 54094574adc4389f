import { expect, test } from 'vitest'
import { deviceChangeState } from '../../../nodes/device/device-change-state.ts'
import { deviceCreate } from '../../../nodes/device/device-create.ts'
import { deviceHistory } from '../../../nodes/device/device-history.ts'
import { deviceUpdate } from '../../../nodes/device/device-update.ts'
import type { DeviceView, StateReport } from '../../../nodes/services/devices.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const pump: DeviceView = { id: 'd1', name: 'Pump' }
const shape = { tagsAsObject: false, attributesAsObject: false }

test('creates from single fields: what renders blank is left out', async () => {
  const create = noting<unknown[], DeviceView>(pump)
  const { payload } = await runNode(deviceCreate, {
    config: {
      nameTemplate: '{{data.name}}',
      descriptionTemplate: '{{data.none}}',
      systemIntervalTemplate: '60',
      keepDuplicatesTemplate: true,
      recipeIdTemplate: 'r1',
      deviceTags: [
        { keyTemplate: 'site', valueTemplate: 's' },
        { keyTemplate: 'blank', valueTemplate: '{{none}}' },
      ],
      deviceAttributes: [{ nameTemplate: 'volts', dataTypeTemplate: 'number' }],
      resultPath: 'out',
    },
    payload: { data: { name: 'Pump' } },
    use: { devices: { create: create.method } },
  })
  const body = {
    name: 'Pump',
    systemInterval: 60,
    keepDuplicates: true,
    tags: [{ key: 'site', value: 's' }],
    attributes: [{ name: 'volts', dataType: 'number' }],
    recipeId: 'r1',
  }
  expect(create.calls).toEqual([[body, shape]])
  expect(payload.out).toEqual(pump)
})

test.each([
  ['the payload', { dataMethod: 'payloadPath', devicePayloadPath: 'data' }],
  ['a JSON template', { dataMethod: 'jsonTemplate', deviceJsonTemplate: '{{jsonEncode data}}' }],
])('creates from %s as it stands', async (_, config) => {
  const create = noting<unknown[], DeviceView>(pump)
  await runNode(deviceCreate, {
    config,
    payload: { data: { name: 'P', tags: [] } },
    use: { devices: { create: create.method } },
  })
  expect(create.calls).toEqual([[{ name: 'P', tags: [] }, shape]])
})

test('data that is no object is refused, and asks for nothing', async () => {
  const create = noting<unknown[], DeviceView>(pump)
  const config = { dataMethod: 'payloadPath', devicePayloadPath: 'data', resultPath: 'out' }
  const { payload } = await runNode(deviceCreate, {
    config,
    payload: { data: [1] },
    use: { devices: { create: create.method } },
  })
  expect(payload.out).toMatchObject({ error: { type: 'Validation' } })
  expect(create.calls).toEqual([])
})

test('updates single fields and merges tags: a pair without a value removes', async () => {
  const update = noting<unknown[], DeviceView>(pump)
  await runNode(deviceUpdate, {
    config: {
      idTemplate: 'd1',
      nameTemplate: '',
      descriptionTemplate: 'new',
      deviceTags: [
        { keyTemplate: 'a', valueTemplate: '1' },
        { keyTemplate: 'b' },
        { keyTemplate: 'c', valueTemplate: '{{none}}' },
      ],
      deviceAttributes: [{ nameTemplate: 'old' }],
    },
    use: { devices: { update: update.method } },
  })
  const merge = {
    mergeTags: [{ key: 'a', value: '1' }, { key: 'b' }, { key: 'c' }],
    mergeAttributes: [{ name: 'old' }],
  }
  expect(update.calls).toEqual([['d1', { description: 'new' }, { ...shape, ...merge }]])
})

test('a refused update is put at the result path; without one it is dropped', async () => {
  const update = noting<unknown[], DeviceView>(new Refusal('NotFound', 'No such device'))
  const use = { devices: { update: update.method } }
  const written = await runNode(deviceUpdate, { config: { idTemplate: 'x', resultPath: 'out' }, use })
  expect(written.payload).toEqual({ out: { error: { type: 'NotFound', message: 'No such device' } } })
  const dropped = await runNode(deviceUpdate, { config: { idTemplate: 'x' }, use })
  expect(dropped).toMatchObject({ payload: {}, output: 'next', error: undefined })
})

const NOW = 1_700_000_000_000
async function report(
  config: Record<string, unknown>,
  payload: Record<string, unknown> = {},
  answer: undefined | Error = undefined,
) {
  const reports = noting<[StateReport[]], void>(answer as undefined)
  const use = { devices: { report: reports.method }, clock: { now: () => NOW } }
  const outcome = await runNode(deviceChangeState, {
    config: { deviceId: 'd1', resultPath: 'out', ...config },
    payload,
    use,
  })
  return { ...outcome, reports: reports.calls[0]?.[0] }
}

test('reports values of their own type, at the time of the payload', async () => {
  const { reports, payload } = await report(
    {
      attrInfos: [
        { key: 'kw', valueTemplate: '{{data.kw}}' },
        { key: 'note', valueTemplate: 'is {{data.kw}}' },
      ],
    },
    { data: { kw: 4.5 }, time: new Date(1_000) },
  )
  expect(reports).toEqual([{ deviceId: 'd1', data: { kw: 4.5, note: 'is 4.5' }, time: 1_000 }])
  expect(payload.out).toEqual({ success: true })
})

test.each([
  ['now', { timeSourceType: 'now' }, NOW],
  ['ISO text', { timeSourceType: 'payloadPath', timeSourcePath: 'iso' }, Date.UTC(2024, 0, 1)],
  ['seconds', { timeSourceType: 'payloadPath', timeSourcePath: 'seconds' }, 1_600_000_000_000],
  ['milliseconds as text', { timeSourceType: 'payloadPath', timeSourcePath: 'text' }, 1_600_000_000_123],
  ['relative', { timeSourceType: 'payloadPath', timeSourcePath: 'ago' }, NOW - 60_000],
  ['unreadable', { timeSourceType: 'payloadPath', timeSourcePath: 'odd' }, NOW],
])('takes the time from %s', async (_, config, time) => {
  const payload = {
    iso: '2024-01-01T00:00:00Z',
    seconds: 1_600_000_000,
    text: '1600000000123',
    ago: -60_000,
    odd: 'soon',
  }
  expect((await report({ ...config, attrInfos: [{ key: 'a', valueTemplate: '1' }] }, payload)).reports).toMatchObject([
    { time },
  ])
})

test.each([
  ['an object', { kw: 1 }, [{ data: { kw: 1 }, time: 5 }]],
  ['a report', { time: 7_000_000_000_000, data: { kw: 1 } }, [{ data: { kw: 1 }, time: 7_000_000_000_000 }]],
  [
    'a list of both',
    [{ kw: 1 }, { data: { kw: 2 } }],
    [
      { data: { kw: 1 }, time: 5 },
      { data: { kw: 2 }, time: 5 },
    ],
  ],
])('reports %s from the payload', async (_, data, expected) => {
  const config = { attrDataMethod: 'payloadPath', attrPayloadPath: 'data' }
  const { reports } = await report(config, { data, time: new Date(5) })
  expect(reports).toEqual(expected.map((one) => ({ deviceId: 'd1', ...one })))
})

test.each([
  ['state that is no object', { attrDataMethod: 'payloadPath', attrPayloadPath: 'data' }, 'Validation'],
  ['a path without an id', { deviceId: 'nothing.here', deviceIdTemplateType: 'jsonPath' }, 'NotFound'],
])('puts an error at the result path for %s', async (_, config, type) => {
  const { payload, reports } = await report(config, { data: 'text' })
  expect(payload.out).toMatchObject({ error: { type } })
  expect(reports).toBeUndefined()
})

test('an id template that renders to nothing fails the run', async () => {
  expect((await report({ deviceId: '{{none}}' })).error).toMatchObject({ code: 'config.empty' })
})

test('history asks for the last hour of all attributes by default', async () => {
  const history = noting<unknown[], Record<string, never[]>>({ kw: [] })
  const use = { devices: { history: history.method }, clock: { now: () => NOW } }
  const { payload } = await runNode(deviceHistory, { config: { deviceIdTemplate: 'd1', resultPath: 'out' }, use })
  expect(history.calls).toEqual([
    [{ deviceId: 'd1', start: NOW - 3_600_000, end: NOW, resolution: 0, aggregation: 'MEAN' }],
  ])
  expect(payload.out).toMatchObject({ start: new Date(NOW - 3_600_000), end: new Date(NOW), attributes: { kw: [] } })
})
