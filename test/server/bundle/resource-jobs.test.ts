import { expect, test } from 'vitest'
import { exportBundle } from '../../../server/bundle/export.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { application, type Contents, cloudFlow, documentsOf, envelope, importContents, ref } from './small-app.ts'

const job = (more: object = {}) => ({
  ...{ id: ref('resourceJob', 'reports'), name: 'Reports', resourceType: 'experienceUser' },
  ...more,
})
const all = {
  ...{ description: 'Text', queryJson: `{"id":{"$eq":"${ref('device', 'pump')}"}}`, resourceType: 'device' },
  ...{ maxIterationConcurrency: 10, iterationDelay: 5_000, iterationTimeout: 300_000, retryOnTimeout: true },
  ...{ retryOnFailure: true, maxIterationRetries: 3, retryDelay: 1_000, defaultContext: '{"a":1}' },
}
const trigger = { type: 'resourceJobIteration', key: ref('resourceJob', 'reports'), config: {}, outputIds: [[]] }

const app = (...jobs: object[]): Contents => ({
  'application.yaml': application(),
  'devices.yaml': envelope('DeviceTree', {
    ...{ id: ref('device', 'pump'), name: 'Pump', deviceClass: 'standalone', attributes: [], tags: [], children: [] },
  }),
  'resourceJobs.yaml': envelope('ResourceJob', ...jobs),
  'workflows/cloud/reports.yaml': envelope('Flow', cloudFlow('reports', { triggers: [trigger] })),
})

async function exported(store: Store): Promise<Contents> {
  const [scope] = await store.applications()
  const files = await exportBundle(store.app(scope!))
  return Object.fromEntries([...files].map(([path, content]) => [path, content as string]))
}

test('a resource job is imported with its defaults, and its triggers listen to it', async () => {
  const store = await openTestStore()
  const report = await importContents(store, app(job()))
  expect(report).toMatchObject({ imported: true, unsupported: {} })
  const [made] = await documentsOf(store, 'resourceJobs')
  expect(made).toMatchObject({
    ...{ name: 'Reports', resourceType: 'experienceUser', queryJson: '{}', maxIterationConcurrency: 1 },
    ...{ iterationDelay: 0, iterationTimeout: 60_000, retryOnTimeout: false, retryOnFailure: false },
    ...{ maxIterationRetries: 1, retryDelay: 0, defaultContext: '{}' },
  })
  const [flow] = await documentsOf(store, 'flows')
  expect(flow?.content.triggers).toMatchObject([{ key: made!.id }])
})

test('ids in its query are those of this application; an export comes back as it was', async () => {
  const store = await openTestStore()
  await importContents(store, app(job(all)))
  const [made] = await documentsOf(store, 'resourceJobs')
  const [device] = await documentsOf(store, 'devices')
  expect(made).toMatchObject({ ...all, queryJson: `{"id":{"$eq":"${device!.id}"}}` })
  await store
    .app((await store.applications())[0]!)
    .collection('resourceJobs')
    .update(made!.id, {
      lastExecutionRequested: 1_234_567,
    })
  const contents = await exported(store)
  expect(String(contents['resourceJobs.yaml'])).not.toContain('1234567')
  const other = await openTestStore()
  await importContents(other, contents)
  expect(await exported(other)).toEqual(contents)
})

test('a second import changes it and keeps its id; one that is gone is removed', async () => {
  const store = await openTestStore()
  await importContents(store, app(job()))
  const [before] = await documentsOf(store, 'resourceJobs')
  await importContents(store, app(job({ retryDelay: 10 })))
  expect(await documentsOf(store, 'resourceJobs')).toMatchObject([{ id: before!.id, retryDelay: 10 }])
  const { 'resourceJobs.yaml': _jobs, ...without } = app()
  await importContents(store, without)
  expect(await documentsOf(store, 'resourceJobs')).toEqual([])
})

test.each([
  ['iterationTimeout', 1_000],
  ['iterationDelay', 60_001],
  ['maxIterationConcurrency', 5],
  ['maxIterationRetries', 6],
  ['retryDelay', -1],
  ['resourceType', 'event'],
  ['defaultContext', '{'],
  ['queryJson', 'x'.repeat(8_193)],
])('the setting %s of %s is refused, and nothing imported', async (field, value) => {
  const store = await openTestStore()
  const report = await importContents(store, app(job({ [field]: value })))
  expect(report.imported).toBe(false)
  expect(report.problems).toMatchObject([
    { file: 'resourceJobs.yaml', pointer: `/resources/0/${field}`, severity: 'error' },
  ])
})
