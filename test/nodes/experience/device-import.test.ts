import { expect, test } from 'vitest'
import { deviceImport } from '../../../nodes/experience/device-import.ts'
import type { JobView } from '../../../nodes/services/jobs.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const csv = 'name\nPümp\n'
const file = { filename: 'a.csv', contentType: 'text/csv', data: Buffer.from(csv).toString('base64') }
const payload = { file, csv, experience: { user: { id: 'u1' } } }
const job = { id: 'j1' } as JobView

async function run(config: object, answer: JobView | Error = job, given: object = payload) {
  const start = noting<[object], JobView>(answer)
  const use = { jobs: { importDevices: start.method } }
  const outcome = await runNode(deviceImport, { config: { resultPath: 'out', ...config }, payload: { ...given }, use })
  return { calls: start.calls.map(([request]) => request), out: outcome.payload.out, problems: outcome.problems }
}

test('takes the file of a form, text at a path, and a template', async () => {
  const expected = [{ csv, requestedBy: 'u1', tags: [] }]
  expect(await run({ csvTemplate: 'file' })).toEqual({ calls: expected, out: job, problems: [] })
  expect((await run({ csvTemplate: 'csv' })).calls).toEqual(expected)
  expect((await run({ csvTemplateType: 'string', csvTemplate: '{{{csv}}}' })).calls).toEqual(expected)
})

test('passes on tags with a value, the tag to find by, the recipe and who asks', async () => {
  const config = {
    csvTemplate: 'csv',
    deviceTags: [
      { keyTemplate: 'group', valueTemplate: '{{experience.user.id}}' },
      { keyTemplate: 'nothing', valueTemplate: '{{nothing}}' },
    ],
    matchTagTemplate: ' serial ',
    recipeIdTemplate: 'r1',
    requestedByTemplate: 'u2@example.com',
  }
  const tags = [{ key: 'group', value: 'u1' }]
  const request = { csv, requestedBy: 'u2@example.com', tags, matchTag: 'serial', recipeId: 'r1' }
  expect((await run(config)).calls).toEqual([request])
})

test.each([
  ['nothing', 'missing'],
  ['a number', 'number'],
  ['a list of files', 'list'],
  ['a file in another encoding', 'latin1'],
  ['an object without data', 'experience'],
])('refuses %s, and starts nothing', async (_, csvTemplate) => {
  const latin1 = { data: Buffer.from(csv, 'latin1').toString('base64') }
  const { calls, out } = await run({ csvTemplate }, job, { ...payload, number: 7, list: [file], latin1 })
  expect(calls).toEqual([])
  expect(out).toEqual({ error: { type: 'Validation', message: expect.stringMatching(/^Expected/) } })
})

test('a refusal is put at the result path', async () => {
  const { out } = await run({ csvTemplate: 'csv' }, new Refusal('RateLimit', 'Too many'))
  expect(out).toEqual({ error: { type: 'RateLimit', message: 'Too many' } })
})
