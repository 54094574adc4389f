import { readdirSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runCommand } from '../../../server/cli/run.ts'
import { ConfigError } from '../../../server/config.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { cloudFlow, envelope, experienceFlow, ref, smallApp } from '../bundle/small-app.ts'

const root = join(import.meta.dirname, '../../..')

let folder: string
let out: string[]
let err: string[]

beforeEach(async () => {
  folder = await temporaryFolder()
  vi.stubEnv('TMPDIR', folder)
  out = []
  err = []
})

afterEach(() => void vi.unstubAllEnvs())

const run = (...args: string[]) =>
  runCommand(args, { out: (line) => void out.push(line), err: (line) => void err.push(line), env: {} })
const trace = () => JSON.parse(out.join('\n'))
const left = async () => (await readdir(folder)).filter((name) => name.startsWith('headgate-run-'))

async function put(path: string, content: unknown): Promise<string> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const sets = (id: string, value: string, next: string[] = []) => ({
  ...{ id, type: 'MutateNode', meta: { label: `Set ${id}` }, outputIds: [next] },
  config: { rules: [{ type: 'set', destination: `data.${id}`, valueTemplateType: 'string', valueTemplate: value }] },
})
const button = (key: string, next: string) => ({
  ...{ type: 'virtualButton', key, config: {}, meta: {}, outputIds: [[next]] },
})
const two = cloudFlow('two', {
  triggers: [button('first', 'a'), button('second', 'b')],
  nodes: [sets('a', 'one {{data.x}}', ['b']), sets('b', 'two {{globals.g}}')],
  globals: [{ key: 'g', json: '"global"' }],
})

describe('run of a flow file', () => {
  test('prints the trace: each visit with node, output and time, then the payload', async () => {
    const before = await left()
    expect(await run(await put('two.json', two), '--payload', '{"data":{"x":7}}', '--json')).toBe(0)
    expect(trace()).toMatchObject({
      status: 'done',
      visits: [
        { node: 'a', output: 0, milliseconds: expect.any(Number) },
        { node: 'b', output: 0, milliseconds: expect.any(Number) },
      ],
      payload: { data: { x: 7, a: 'one 7', b: 'two global' }, triggerType: 'virtualButton', flowName: 'two' },
    })
    expect(trace()).not.toHaveProperty('error')
    expect(await left()).toEqual(before)
  })

  test('prints it for a person', async () => {
    expect(await run(await put('two.yaml', two), '--payload', `@${await put('p.json', { data: { x: 8 } })}`)).toBe(0)
    expect(out[0]).toMatch(/^ +\d+\.\d\d ms {2}Set a \(a\) -> 0$/)
    expect(out.join('\n')).toContain('"a": "one 8"')
    expect(out.at(-1)).toMatch(/^done in \d+\.\d\d ms$/)
  })

  test.each([
    ['second', 'second'],
    ['SECOND', 'second'],
  ])('starts with the trigger %s', async (wanted, key) => {
    expect(await run(await put('two.json', two), '--trigger', wanted, '--json')).toBe(0)
    expect(trace()).toMatchObject({ visits: [{ node: 'b' }], payload: { triggerId: key } })
  })

  test('ends with 1 when the run fails, and says where', async () => {
    const fails = cloudFlow('fails', {
      triggers: [button('go', 'x')],
      nodes: [
        { id: 'x', type: 'ThrowErrorNode', config: { messageTemplate: 'no {{data.x}}' }, meta: {}, outputIds: [] },
      ],
    })
    const file = await put('fails.json', fails)
    expect(await run(file, '--payload', '{"data":{"x":"way"}}', '--json')).toBe(1)
    expect(trace()).toMatchObject({ status: 'failed', error: { message: 'no way', node: { id: 'x' } } })
    out.length = 0
    expect(await run(file)).toBe(1)
    expect(out.at(-1)).toMatch(/^failed: no /)
    expect(await left()).toEqual([])
  })

  test('runs in the application that the file is part of, switched off or not', async () => {
    for (const [path, content] of Object.entries(smallApp())) await put(`app/${path}`, String(content))
    const pages = { replyType: 'page', pageIdTemplate: ref('experienceView', 'home'), responseCodeTemplate: '200' }
    const hears = { key: ref('experienceEndpoint', 'get-'), type: 'endpoint', config: {}, meta: {}, outputIds: [['r']] }
    const flow = experienceFlow('home', {
      ...{ enabled: false, triggers: [button('press', 'r'), hears] },
      nodes: [{ id: 'r', type: 'EndpointReplyNode', config: pages, meta: {}, outputIds: [[]] }],
    })
    const file = await put('app/experience/develop/workflows/Home.yaml', envelope('ExperienceFlowVersion', flow))
    for (const trigger of ['GET /', 'get-', 'endpoint', ref('experienceEndpoint', 'get-')]) {
      for (const wanted of [[file], ['home', '--app', join(folder, 'app')]]) {
        out.length = 0
        expect(await run(...wanted, '--trigger', trigger, '--json')).toBe(0)
        expect(trace()).toMatchObject({
          payload: { applicationName: 'Small', data: { method: 'get', path: '/' } },
          replies: [{ status: 200, body: { kind: 'page', pageId: expect.stringMatching(/^[0-9a-f]{24}$/) } }],
        })
      }
    }
  })
})

describe('is a mistake of the caller:', () => {
  test.each<[string[], RegExp]>([
    [[], /Expected one flow/],
    [['a.json', 'b.json'], /Expected one flow/],
    [['nowhere.json'], /a file that can be read/],
    [['no such flow'], /--app/],
    [['no such flow', '--app', 'examples/generators'], /one of .*API device, .*Overview/],
    [['flows/login.json', '--app', 'nowhere'], /a folder that holds an application/],
    [['flows/login.json', '--payload', '{'], /--payload: expected JSON/],
    [['flows/login.json', '--payload', '[]'], /--payload: expected a JSON object/],
    [['flows/login.json', '--payload', '@nowhere'], /a file that can be read/],
    [
      ['flows/login.json', '--trigger', 'constructor'],
      /--trigger: expected one of getLogin, postLogin, got constructor/,
    ],
    [['package.json'], /Expected a flow with "nodes" and "triggers"/],
    [['biome.json', '--trigger', 'x'], /Expected a flow/],
  ])('%j', async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message)
    await expect(run(...args)).rejects.toThrow(ConfigError)
    expect(out).toEqual([])
    expect(await left()).toEqual([])
  })

  test('a broken file', async () => {
    await expect(run(await put('broken.json', '{"nodes"'))).rejects.toThrow(/Expected a flow in .*broken\.json/)
    await expect(run(await put('broken.yaml', 'a: ['))).rejects.toThrow(/Expected a flow in .*broken\.yaml/)
  })
})

const shipped = [
  ...filesIn('flows'),
  ...filesIn('examples/generators/experience/develop/workflows'),
  ...filesIn('examples/generators/workflows/cloud'),
]

function filesIn(path: string): string[] {
  return readdirSync(join(root, path))
    .filter((name) => /\.(json|yaml)$/.test(name) && !/\.test\.\w+$/.test(name))
    .map((name) => `${path}/${name}`)
}

test.each(shipped)('%s runs as it stands', async (file) => {
  const exit = await run(file, '--json')
  expect({ exit, error: trace().error }).toEqual({ exit: 0, error: undefined })
  expect(trace().visits.length).toBeGreaterThan(0)
})

test('a flow of the library runs by name, and in an application with the ids of that', async () => {
  expect(await run('Password reset', '--json')).toBe(0)
  out.length = 0
  const args = ['flows/login.json', '--app', 'examples/generators', '--trigger', 'POST /login', '--json']
  expect(await run(...args, '--payload', '{"data":{"body":{"email":"a@b.example","password":"wrong-word"}}}')).toBe(0)
  expect(trace().replies).toMatchObject([{ status: 401, body: { pageId: expect.stringMatching(/^[0-9a-f]{24}$/) } }])
})

describe('run of a flow with custom nodes', () => {
  const customFlow = {
    ...{ id: ref('flow', 'twice'), name: 'twice', flowClass: 'customNode', globals: [] },
    triggers: [{ type: 'customNodeStart', key: 'customNodeStart', config: {}, meta: {}, outputIds: [['sum']] }],
    nodes: [
      {
        ...{ id: 'sum', type: 'MathNode', meta: {}, outputIds: [['say']] },
        config: { statements: [{ expression: '{{data.n}} * 2', resultPath: 'sum' }] },
      },
      { id: 'say', type: 'DebugNode', config: { message: 'inside' }, meta: {}, outputIds: [['cap']] },
      { id: 'cap', type: 'CustomNodeCapNode', config: { resultSourcePath: 'sum' }, meta: {}, outputIds: [] },
    ],
    customNodeConfig: {
      outputCount: 1,
      resultMode: 'optional',
      fields: [{ id: 'n', type: 'numberTemplate', label: 'N' }],
    },
  }
  const caller = cloudFlow('caller', {
    triggers: [button('first', 'none'), { ...button('x', 'call'), meta: { uiId: 'Ui-7', id: 'meta-7' } }],
    nodes: [
      sets('none', 'x'),
      {
        ...{ id: 'call', type: 'CustomNodeExecuteNode', meta: { label: 'Twice' }, outputIds: [[], []] },
        config: {
          customNodeId: ref('flow', 'twice'),
          fields: [{ id: 'n', value: '{{data.n}}' }],
          resultPath: 'result',
        },
      },
    ],
  })

  async function folderOf(): Promise<string> {
    for (const [path, content] of Object.entries(smallApp())) await put(path, String(content))
    await put('workflows/customNode/twice.yaml', envelope('Flow', customFlow))
    await put('workflows/cloud/caller.yaml', envelope('Flow', caller))
    return folder
  }

  test.each(['Ui-7', 'meta-7', 'ui-7'])(
    'starts the button %s, and shows the way through the custom node',
    async (name) => {
      const app = await folderOf()
      expect(await run('caller', '--app', app, '--trigger', name, '--payload', '{"data":{"n":4}}')).toBe(0)
      const text = out.join('\n')
      expect(text).toMatch(/ms {2}Twice \(call\) -> 0\n.*ms {4}sum \(sum\) -> 0/)
      expect(text).toContain('verbose: inside')
      expect(text).toContain('"result": 8')
    },
  )

  test('fails at the node that calls when its input is wrong', async () => {
    const app = await folderOf()
    expect(await run('caller', '--app', app, '--trigger', 'ui-7', '--payload', '{"data":{"n":"x"}}', '--json')).toBe(1)
    expect(trace().error).toMatchObject({ code: 'config.type', node: { id: 'call' } })
  })
})
