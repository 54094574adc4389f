import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { RunJobInput } from '../../server/flows/run-job.ts'
import type { AppStore } from '../../server/store/port.ts'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { writeJobApp } from '../server/jobs/resource-job-app.ts'
import { until } from '../server/jobs/world.ts'
import { cli } from './server-process.ts'

const devices = Array.from({ length: 24 }, (_, n) => `device-${n}`)
const kills = 4

test('a resource job whose server is killed in the middle of iterations goes on, and counts each once', {
  timeout: 120_000,
}, async () => {
  const folder = join(await temporaryFolder(), 'small')
  await writeJobApp(folder, devices, 0.2)
  const dataDir = await temporaryFolder()
  const start = () => cli(['start', '--app', folder], { DATA_DIR: dataDir, JOB_LEASE_MS: '1000' })
  const inStore = async <T>(use: (app: AppStore) => Promise<T>): Promise<T> => {
    const store = await openSqlite({ file: join(dataDir, 'headgate.db') })
    try {
      return await use(store.app((await store.hosts.find('small'))!.scope))
    } finally {
      await store.close()
    }
  }
  const ended = () =>
    inStore((app) => app.collection('resourceIterations').count({ field: 'state', op: 'eq', value: 'succeeded' }))

  const done: number[] = []
  let server = start()
  expect(await clientOf(await server.port(), 'small.localhost').get('/start')).toMatchObject({ status: 200 })
  for (let round = 0; round < kills; round++) {
    const before = done.at(-1) ?? 0
    await until(ended, (count) => count > before)
    // Somewhere in the next iteration: before, in or after its run.
    await wait(Math.random() * 300)
    server.child.kill('SIGKILL')
    expect(await server.ended).toBe('SIGKILL')
    done.push(await ended())
    server = start()
    await server.port()
  }
  expect(done.at(-1)).toBeLessThan(devices.length)
  const execution = await until(
    () => inStore((app) => app.collection('resourceExecutions').first({ field: 'completedAt', op: 'ne', value: null })),
    (found) => found !== undefined,
  )
  expect(execution).toMatchObject({
    ...{ status: 'completed', total: devices.length },
    summary: { succeeded: devices.length, failed: 0, timedOut: 0, inProgress: 0, remaining: 0 },
  })
  await inStore(async (app) => {
    const iterations = await app.collection('resourceIterations').find()
    expect(iterations.map(({ resourceId }) => resourceId).toSorted()).toEqual(
      (await app.collection('devices').find()).map(({ id }) => id).toSorted(),
    )
    // None was begun again: its one run was.
    expect(iterations.map(({ state, attempt }) => [state, attempt])).toEqual(devices.map(() => ['succeeded', 1]))
    const runs = await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'run' } })
    const types = runs.map(({ input }) => (input as RunJobInput).triggerType)
    expect(types.filter((type) => type === 'resourceJobIteration')).toHaveLength(devices.length)
    expect(types.filter((type) => type === 'resourceJobComplete')).toHaveLength(1)
  })
})
