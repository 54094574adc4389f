import { expect, test } from 'vitest'
import { notebookExecute } from '../../../nodes/data/notebook-execute.ts'
import { runNode } from '../../helpers/run-node.ts'

test('keeps whatever settings a file has, and says that it cannot', async () => {
  const config = { notebookId: 'x', relativeEndTemplate: '{{', inputs: [{ a: 1 }] }
  const run = await runNode(notebookExecute, { config: { ...config, resultPath: 'r' } })
  expect(run).toMatchObject({ output: 'next', problems: [], payload: { r: { error: { type: 'NotSupported' } } } })
  expect((await runNode(notebookExecute, { config })).payload).toEqual({})
})
