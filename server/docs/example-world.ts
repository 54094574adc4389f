import type { Devices } from '../../nodes/services/devices.ts'
import { createdKey, updatedKey } from '../resources/data-table-views.ts'
import { readNewResourceJob, settingsOf } from '../resources/resource-job-fields.ts'
import { fold } from '../store/fold.ts'
import type { AppStore } from '../store/port.ts'
import { tenancyWrite } from '../tenancy/write.ts'

/** The time at which all examples run: 5 January 2026, 08:00 UTC. */
export const exampleTime = Date.UTC(2026, 0, 5, 8)

const day = 86_400_000

export const examplePassword = 'correct horse'

/** What the examples of the nodes speak of, by the ids that they use. */
const ids = {
  user: '6521f7b20c1d4e8a9b3c5d70',
  device: '6521f7b20c1d4e8a9b3c5d71',
  group: '6521f7b20c1d4e8a9b3c5d72',
  event: '6521f7b20c1d4e8a9b3c5d74',
  file: '6521f7b20c1d4e8a9b3c5d77',
  resourceJob: '6521f7b20c1d4e8a9b3c5d75',
  iteration: '6521f7b20c1d4e8a9b3c5d76',
  table: '6521f7b20c1d4e8a9b3c5d81',
}

/**
 * Fills an empty application: user1@example.com, whose password is `examplePassword`, is a member of a group, which has a pump,
 * which has an event. Beside it stands a table of two spare parts.
 */
export async function fillExampleWorld(
  app: AppStore,
  { passwordHash, devices }: { passwordHash: string; devices: Pick<Devices, 'report'> },
): Promise<void> {
  const { application } = app.scope
  const dates = { creationDate: exampleTime - day, lastUpdated: exampleTime - day }
  const email = 'user1@example.com'
  await app.collection('application').insert({ id: application, name: 'Example', globals: [], secret: 's'.repeat(32) })
  await tenancyWrite(app, [
    {
      insert: 'groups',
      document: {
        ...dates,
        ...{ id: ids.group, name: 'Springfield', ancestorIds: [], groupTags: {}, deviceIds: [] },
        deviceTags: [{ key: 'group', value: ids.group }],
      },
    },
    {
      insert: 'users',
      document: {
        ...dates,
        ...{ id: ids.user, email, emailKey: fold(email), firstName: 'Ada', passwordHash },
        ...{ userTags: {}, experienceGroupIds: [ids.group] },
      },
    },
    {
      insert: 'devices',
      document: {
        ...dates,
        ...{ id: ids.device, name: 'Pump 1', deviceClass: 'standalone', groupIds: [] },
        tags: [
          { key: 'group', value: ids.group },
          { key: 'kind', value: 'pump' },
        ],
        attributes: [{ name: 'temperature', dataType: 'number', attributeTags: {} }],
      },
    },
  ])
  const reports = [20.5, 21, 22.5].map((temperature, index) => {
    return { deviceId: ids.device, data: { temperature }, time: exampleTime - (30 - 10 * index) * 60_000 }
  })
  await devices.report(reports)
  await app.collection('events').insert({
    ...dates,
    ...{ id: ids.event, level: 'warning', state: 'new', subject: 'Pump 1 is too hot', deviceId: ids.device },
    ...{ eventTags: {}, sourceType: 'flow', sourceId: '0'.repeat(24), updates: [] },
  })
  const columns = [
    { key: 'name', name: 'name', dataType: 'string', constraint: 'required' },
    { key: 'price', name: 'price', dataType: 'number', constraint: 'optional' },
  ] as const
  await app.collection('dataTables').insert({ ...dates, id: ids.table, name: 'Spare parts', columns: [...columns] })
  const times = { [createdKey(ids.table)]: dates.creationDate, [updatedKey(ids.table)]: dates.lastUpdated }
  const parts = [
    { id: '6521f7b20c1d4e8a9b3c5d82', name: 'Valve', price: 31 },
    { id: '6521f7b20c1d4e8a9b3c5d83', name: 'Belt', price: 8.5 },
  ]
  for (const { id, ...cells } of parts) {
    await app.collection('dataTableRows').insert({ ...dates, id, tableId: ids.table, cells: { ...cells, ...times } })
  }
  await fillFiles(app, dates)
  await fillResourceJob(app, dates)
}

/** A list of prices, at /prices.json. */
async function fillFiles(app: AppStore, dates: { creationDate: number }): Promise<void> {
  const blob = 'files/prices'
  const stored = await app.blobs.put(blob, Buffer.from('{"pump":120}'))
  const file = { path: '/prices.json', contentType: 'application/json', private: false, blob }
  await app.collection('files').insert({ id: ids.file, ...file, ...stored, ...dates })
}

/** A resource job for each user, of which one iteration waits to be acknowledged. */
async function fillResourceJob(app: AppStore, dates: { creationDate: number }): Promise<void> {
  const job = readNewResourceJob({ name: 'Monthly report', resourceType: 'experienceUser' })
  await app.collection('resourceJobs').insert({ id: ids.resourceJob, ...job, ...dates })
  const execution = await app.collection('resourceExecutions').insert({
    ...settingsOf(job),
    ...dates,
    ...{ jobId: ids.resourceJob, name: job.name, resourceType: job.resourceType, status: 'inProgress' },
    ...{ context: {}, query: {}, startedAt: exampleTime, depth: 0, sourceType: 'flow', sourceId: '0'.repeat(24) },
  })
  await app.collection('resourceIterations').insert({
    ...{ id: ids.iteration, executionId: execution.id, resourceId: ids.user, position: 0, state: 'running' },
    ...{ attempt: 1, notBefore: 0, startedAt: exampleTime, deadline: exampleTime + 60_000 },
  })
}
