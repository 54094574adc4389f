import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { printFile } from '../../server/flow-tests/report.ts'
import { findTestFiles, runTestFiles } from '../../server/flow-tests/run-files.ts'

const root = join(import.meta.dirname, '../..')
const folders = ['flows', 'examples'].map((name) => join(root, name))
const files = await findTestFiles(folders)

test.each(files.map((file) => [relative(root, file), file]))('%s', { timeout: 60_000 }, async (_, file) => {
  const [result] = await runTestFiles([file])
  const { problems, cases, wires } = result!
  expect({ problems, cases: cases.length > 0 }).toEqual({ problems: [], cases: true })
  expect(printFile(result!).filter((line) => line.includes('FAIL') || line.includes('expected'))).toEqual([])
  expect(wires.missing).toEqual([])
})

test('every flow that ships has tests beside it', () => {
  const flows = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^[^/]+|\/workflows\/.+)\.(json|ya?ml)$/.test(name) && !/\.test\.\w+$/.test(name))
      .map((name) => join(folder, name)),
  )
  expect(flows.length).toBeGreaterThan(30)
  const tested = new Set(files.map((file) => file.replace(/\.test\.\w+$/, '')))
  expect(flows.filter((flow) => !tested.has(flow.replace(/\.\w+$/, ''))).map((flow) => relative(root, flow))).toEqual(
    [],
  )
})
