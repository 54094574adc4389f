import { expect, test } from 'vitest'
import { FlowError } from '../../../engine/errors.ts'
import { fileCreate } from '../../../nodes/data/file-create.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

const payload = { name: 'report', kept: 1 }

async function written(
  config: object,
  answer: object | Error = { status: 200, headers: {}, body: Buffer.from('sent') },
) {
  const asked = noting<[{ url: string; method: string }], never>(answer as never)
  const wrote = noting<[{ content: Uint8Array }], never>({ id: 'f' } as never)
  const settings = { fileNameTemplate: '{{name}}.bin', resultPath: 'out', ...config }
  const use = { http: { send: asked.method }, files: { write: wrote.method } }
  const run = await runNode(fileCreate, { config: settings, payload, use })
  return { run, asked: asked.calls[0]?.[0], file: wrote.calls[0]?.[0] }
}

test('writes what a URL answers, whatever the contents and their encoding say', async () => {
  const config = {
    fileUrlTemplate: ' https://example.com/{{name}} ',
    fileContentsTemplate: 'x',
    encodingTemplate: 'hex',
  }
  const { run, asked, file } = await written(config)
  expect(asked).toMatchObject({ method: 'GET', url: 'https://example.com/report', followRedirects: true })
  expect(Buffer.from(file!.content).toString()).toBe('sent')
  expect(file).toMatchObject({
    name: 'report.bin',
    parentDirectory: '/',
    contentType: '',
    overwrite: false,
    private: false,
  })
  expect(run.payload).toEqual({ ...payload, out: { id: 'f' } })
})

test.each([
  [{ status: 404, headers: {}, body: Buffer.from('no') }, '404'],
  [{ status: 302, headers: {}, body: Buffer.from('') }, '302'],
  [new FlowError('http.refused', 'inside the network'), 'inside the network'],
])('writes nothing when the URL does not answer well: %j', async (answer, part) => {
  const { run, file } = await written({ fileUrlTemplate: 'https://example.com/' }, answer)
  expect(file).toBeUndefined()
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.out).toEqual({ error: { type: 'FILE_CREATE_ERROR', message: expect.stringContaining(part) } })
})

test('with neither contents nor URL the file is empty, and no one is asked', async () => {
  const { file, asked } = await written({})
  expect(file!.content).toHaveLength(0)
  expect(asked).toBeUndefined()
})
