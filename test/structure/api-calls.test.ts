import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { answered } from '../../server/resources/api/api.ts'
import { refused } from '../../server/resources/api/refusals.ts'

test('docs/api-calls.md tells of each call that is answered, and why others are not', async () => {
  const page = await readFile(new URL('../../docs/api-calls.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const resources = [...new Set(answered.map((one) => one.split('.')[0]!))]
  const actionsOf = (resource: string) =>
    answered.filter((one) => one.startsWith(`${resource}.`)).map((one) => `\`${one.split('.')[1]}\``)
  expect(rows).toEqual([
    ...resources.map((resource) => `| \`${resource}\` | ${actionsOf(resource).join(' ')} |`),
    ...refused.map(([call, why]) => `| \`${call}\` | ${why} |`),
  ])
})
