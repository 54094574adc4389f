import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundleErrors } from '../../../server/bundle/problem.ts'

test('every code of the table is reported somewhere', () => {
  const folder = 'server/bundle'
  const files = readdirSync(folder).filter((file) => file !== 'problem.ts')
  const source = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8')).join('\n')
  expect(Object.keys(bundleErrors).filter((code) => !source.includes(`'${code}'`))).toEqual([])
})
