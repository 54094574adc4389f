import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { clientOf } from '../../helpers/client.ts'
import { startServer } from '../../helpers/server.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { writeJobApp } from './resource-job-app.ts'

test('a flow executes a resource job of a whole server: its flows run for each resource, then once at the end', async () => {
  const folder = join(await temporaryFolder(), 'small')
  await writeJobApp(folder, ['a', 'b', 'c'])
  const { store, applications, port, close } = await startServer({ folders: [folder] })
  try {
    const { scope, host } = applications[0]!
    const app = store.app(scope)
    const answer = await clientOf(port, host).get('/start')
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('executionId') })
    await vi.waitFor(
      async () => {
        const [flow] = (await app.collection('flows').find()).filter(({ name }) => name === 'Count')
        expect(await app.values.entries(`flow:${flow!.id}`)).toEqual({ a: '1', b: '1', c: '1', over: 'true' })
      },
      { timeout: 15_000, interval: 50 },
    )
    const [execution] = await app.collection('resourceExecutions').find()
    expect(execution).toMatchObject({ status: 'completed', total: 3, summary: { succeeded: 3 } })
  } finally {
    await close()
  }
})
