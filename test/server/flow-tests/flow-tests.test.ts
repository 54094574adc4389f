import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { testCommand } from '../../../server/cli/test.ts'
import { ConfigError } from '../../../server/config.ts'
import { temporaryFolder } from '../../helpers/store.ts'

let folder: string
let out: string[]
let err: string[]

beforeEach(async () => {
  folder = await temporaryFolder()
  out = []
  err = []
})

async function put(path: string, content: unknown): Promise<string> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const command = (...args: string[]) =>
  testCommand(args, { out: (line) => void out.push(line), err: (line) => void err.push(line), env: {} })

interface Node {
  id: string
  type: string
  config?: object
  meta?: object
  outputIds?: string[][]
}

function flow(nodes: Node[], triggers: object[] = [{ type: 'virtualButton', key: 'b', outputIds: [[nodes[0]!.id]] }]) {
  return { resourceType: 'Flow', version: 1, resources: [{ name: 'F', flowClass: 'cloud', triggers, nodes }] }
}

/** Runs the cases on a flow; gives what differs from what they expect, by case. */
async function run(content: unknown, tests: object[], more: object = {}) {
  await put('f.json', content)
  await put('f.test.json', { ...more, tests: tests.map((one, index) => ({ name: `${index}`, ...one })) })
  const code = await command(folder, '--json')
  const { files, totals } = JSON.parse(out.join('\n'))
  const lines = files[0].cases.map(({ mismatches, problem }: { mismatches: { at: string }[]; problem?: string }) =>
    problem === undefined ? mismatches.map(({ at }) => at) : [problem],
  )
  return { code, file: files[0], totals, lines: lines as string[][] }
}

/** How often each element occurs. Throws for what is not well-formed XML without comments and the like. */
function elementsOf(xml: string): Record<string, number> {
  const open: string[] = []
  const counts: Record<string, number> = {}
  const body = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>/, '')
  const left = body.replace(/<(\/?)(\w+)((?: \w+="[^"<]*")*)(\/?)>/g, (_, closes, name, _attributes, empty) => {
    if (closes) expect(open.pop()).toBe(name)
    else counts[name] = (counts[name] ?? 0) + 1
    if (!closes && !empty) open.push(name)
    return ''
  })
  expect(open).toEqual([])
  expect(left).not.toContain('<')
  expect(left).toMatch(/^[\t\n\r -\ud7ff\ue000-\ufffd]*$/)
  expect(body.replace(/&(amp|lt|gt|quot|apos);/g, '')).not.toContain('&')
  return counts
}

const set = (id: string, value: string, next: string[] = [], destination = 'data.x'): Node => ({
  ...{ id, type: 'MutateNode', meta: { label: `Set ${id}` }, outputIds: [next] },
  config: { rules: [{ type: 'set', destination, valueTemplateType: 'string', valueTemplate: value }] },
})
const when: Node = {
  ...{ id: 'when', type: 'ConditionalNode', meta: { label: 'Big?' }, config: { expression: '{{data.n}} > 5' } },
  outputIds: [['small'], ['big']],
}
const fork = flow([when, set('small', 'small'), set('big', 'big {{globals.unit}}')])

describe('expectations', () => {
  test.each<[string, object, string[]]>([
    ['the way', { path: ['Big?', 'big'] }, []],
    ['the way by id and label', { path: ['when', 'Set big'] }, []],
    ['another way', { path: ['when', 'small'] }, ['path']],
    ['a way that is too short', { path: ['when'] }, ['path']],
    ['a visit', { visited: ['big'], notVisited: ['small'] }, []],
    ['no visit', { visited: ['small'], notVisited: ['big'] }, ['visited', 'notVisited']],
    ['a node that does not exist', { visited: ['huge'], notVisited: ['huge'] }, ['visited', 'notVisited']],
    ['a part of the payload', { payload: { data: { x: 'big kg' } } }, []],
    ['another payload', { payload: { data: { x: 'small', n: 7 } } }, ['payload.data.x', 'payload.data.n']],
    ['a place', { at: { 'data.x': 'big kg', data: { n: 9, list: [1, 2], x: 'big kg' } } }, []],
    ['a place with more in it', { at: { data: { n: 9, list: [1, 2] } } }, ['data.x']],
    [
      'nothing at a place',
      { payload: { working: { $absent: true } }, at: { 'data.x': { $absent: true } } },
      ['data.x'],
    ],
    [
      'a list of another length',
      { at: { 'data.list': [1] }, payload: { data: { list: [1] } } },
      ['payload.data.list', 'data.list'],
    ],
    ['anything', { payload: { data: { x: { $any: true }, y: { $any: true } } } }, ['payload.data.y']],
    [
      'a pattern',
      { payload: { data: { x: { $match: '^big' } }, flowId: { $match: '^[0-9a-f]{23}$' } } },
      ['payload.flowId'],
    ],
    [
      'some text',
      { payload: { data: { x: { $contains: 'ig k' } }, flowName: { $contains: 'G' } } },
      ['payload.flowName'],
    ],
    ['all of it', { payload: { data: { $equals: { n: 9 } } } }, ['payload.data']],
    ['a failure that does not come', { error: 'error.thrown' }, ['error']],
    ['a reply that does not come', { reply: { status: 200 } }, ['reply']],
    ['no reply', { reply: 'none', mails: [], requests: [], debug: [] }, []],
    ['a mail that does not come', { mails: [{ to: ['a@b.example'] }] }, ['mails']],
    [
      'an event that does not come',
      { created: { events: [{ subject: 'x' }] } },
      ['created.events.0', 'created.events'],
    ],
    [
      'a device that is not there',
      { devices: { pump: {} }, users: { 'a@b.example': { $absent: true } } },
      ['devices.pump'],
    ],
  ])('say %s', async (_, expectation, wrong) => {
    const result = await run(fork, [{ data: { n: 9, list: [1, 2] }, globals: { unit: 'kg' }, expect: expectation }])
    expect(result.lines).toEqual([wrong])
    expect(result.code).toBe(wrong.length === 0 ? 0 : 1)
  })

  test('a run that fails without being expected to is a failure, with its node', async () => {
    const fails = flow([
      { id: 'a', type: 'ThrowErrorNode', meta: { label: 'Fail' }, config: { messageTemplate: 'no {{data.n}}' } },
    ])
    const result = await run(fails, [
      { expect: {} },
      { expect: { error: 'error.thrown' } },
      { data: { n: 1 }, expect: { error: { code: 'error.thrown', message: 'no 1', node: 'Fail' } } },
      { expect: { error: 'limit.time' } },
    ])
    expect(result.lines).toEqual([['error'], [], [], ['error.code']])
    expect(result.file.cases[0].mismatches[0].got).toBe('no  (error.thrown) at "Fail"')
  })

  test('a case may take as long as it says and no longer', async () => {
    const round = flow([set('a', '1', ['b']), set('b', '2', ['a'])])
    const result = await run(round, [{ timeoutMs: 50, expect: { error: 'limit.time' } }])
    expect(result.lines).toEqual([[]])
  })
})

describe('stand-ins', () => {
  test('a mocked node writes, fails or takes an output, visit by visit, by id, label or type', async () => {
    const result = await run(fork, [
      { mocks: { when: { output: 'true' } }, expect: { path: ['when', 'big'] } },
      {
        data: { n: 9 },
        mocks: { 'Big?': { output: 0, write: { 'data.n': 1 } } },
        expect: { path: ['when', 'small'], at: { 'data.n': 1 } },
      },
      {
        mocks: { ConditionalNode: { error: { code: 'http.timeout', message: 'late' } } },
        expect: { error: { code: 'http.timeout', message: 'late' } },
      },
      { mocks: { conditional: { error: 'no' } }, expect: { error: { code: 'error.thrown', message: 'no' } } },
    ])
    expect(result.lines).toEqual([[], [], [], []])
  })

  test.each<[string, object, RegExp]>([
    ['names no node', { hwen: {} }, /the mock "hwen" to be the id, label or type of a node: Big\?/],
    ['does not say the output', { when: {} }, /the mock of "Big\?" to say which output it takes: false, true/],
    ['names an output that is none', { when: { output: 'maybe' } }, /take one of false, true, got "maybe"/],
    ['names an error that is none', { when: { error: { code: 'no.such' } } }, /the code of an error, got "no.such"/],
  ])('a mock that %s is a problem of the test', async (_, mocks, problem) => {
    const result = await run(fork, [{ mocks, expect: { error: { $any: true } } }])
    expect(result.code).toBe(1)
    expect(result.file.cases[0].problem).toMatch(problem)
  })

  test('requests are answered by the test, and those that it does not know fail it', async () => {
    const http = (url: string): Node => ({
      ...{ id: 'h', type: 'HttpNode', outputIds: [[]] },
      config: {
        ...{
          method: 'POST',
          uriTemplate: url,
          responsePath: 'working.answer',
          bodyTemplate: '{"a":1}',
          bodyType: 'string',
        },
        errorBehavior: 'payloadPath',
        errorPath: 'working.problem',
      },
    })
    const known = await run(flow([http('https://api.example/a')]), [
      {
        http: [{ request: 'post https://api.example/*', status: 201, body: { ok: true } }],
        expect: {
          payload: { working: { answer: { statusCode: 201, body: { ok: true } } } },
          requests: [{ request: 'POST https://api.example/a', body: { a: 1 } }],
        },
      },
      {
        http: [{ request: 'https://api.example/a', error: 'away' }],
        expect: { payload: { working: { problem: { $any: true } } } },
      },
      { http: [{ request: 'GET https://api.example/a' }], expect: {} },
    ])
    expect(known.lines).toEqual([[], [], ['http']])
  })

  test('the clock stands, but for delays, which take no time; functions see it and chance is the same', async () => {
    const script =
      'payload.now = Date.now(); payload.made = new Date().toISOString(); payload.dates = [payload.at instanceof Date, new Date(7).getTime()]; payload.dice = [Math.random(), Math.random()]'
    const timed = flow([
      { id: 'd', type: 'DelayNode', config: { delay: '30' }, outputIds: [['f']] },
      { id: 'f', type: 'RawFunctionNode', config: { scopePath: 'data', script }, outputIds: [[]] },
    ])
    const expected = { now: Date.UTC(2026, 1, 1, 0, 0, 30), made: '2026-02-01T00:00:30.000Z', dates: [false, 7] }
    const clock = '2026-02-01T00:00:00Z'
    const result = await run(timed, [
      { clock, expect: { payload: { time: '2026-02-01T00:00:00.000Z', data: expected } } },
      { clock, expect: { payload: { data: { dice: [0, 0] } } } },
      { clock, expect: { payload: { data: { dice: [0, 0] } } } },
    ])
    const [first, second, third] = result.file.cases.map((one: { mismatches: unknown }) =>
      JSON.stringify(one.mismatches),
    )
    expect(first).toBe('[]')
    expect(second).toBe(third)
    expect(second).toContain('payload.data.dice.0')
  })

  test('storage and the state of devices are there before, and every case has its own', async () => {
    const count = flow([
      {
        id: 's',
        type: 'StoreValueNode',
        config: { keyName: 'n', valueType: 'incr', value: '1', resultPath: 'working.n' },
        outputIds: [['g']],
      },
      {
        id: 'g',
        type: 'GetDeviceNode',
        config: {
          findMethod: 'name',
          idTemplate: 'Pump',
          includeState: true,
          attributesAsObject: true,
          resultPath: 'working.pump',
        },
        outputIds: [[]],
      },
    ])
    const world = {
      devices: [{ name: 'Pump', deviceClass: 'standalone', attributes: [{ name: 'bar', dataType: 'number' }] }],
    }
    const result = await run(
      count,
      [
        { expect: { values: { n: 1 }, state: { Pump: { bar: { $absent: true } } } } },
        {
          values: { n: 4 },
          state: [{ device: 'Pump', minutesAgo: 1, data: { bar: 3 } }],
          expect: { values: { n: 5 }, state: { Pump: { bar: 3 } } },
        },
        {
          expect: { values: { n: 1 }, payload: { working: { pump: { compositeState: { bar: { $absent: true } } } } } },
        },
        { state: [{ device: 'Fan', data: {} }] },
      ],
      { world },
    )
    expect(result.lines.slice(0, 3)).toEqual([[], [], []])
    expect(result.file.cases[3].problem).toBe('Expected the name of a device in "state", got "Fan"')
  })

  test('a device that reports is there with its tags, and events before and after the run', async () => {
    const settles = flow(
      [
        {
          ...{ id: 'u', type: 'UpdateEventNode', outputIds: [[]] },
          config: {
            queryTemplate: '{"deviceId":{"$eq":"{{device.id}}"}}',
            ...{ stateTemplate: 'resolved', updateMultiple: true, resultPath: 'working.events' },
          },
        },
      ],
      [{ type: 'deviceTag', key: 'kind/pump', outputIds: [['u']] }],
    )
    const id = '~exportplaceholderid-device-pump~'
    const world = { devices: [{ id, name: 'Pump', deviceClass: 'standalone', tags: [{ key: 'kind', value: 'pump' }] }] }
    const events = [
      { level: 'warning', subject: 'Hot', deviceId: id },
      { level: 'info', subject: 'Other' },
    ]
    const payload = { device: { id, name: 'Pump' }, deviceName: 'Pump', deviceTags: { kind: ['pump'] }, triggerId: id }
    const after = [
      { subject: 'Other', state: 'new' },
      { subject: 'Hot', state: 'resolved' },
    ]
    const result = await run(
      settles,
      [
        {
          device: 'Pump',
          events,
          expect: { payload: { ...payload, relayType: 'device' }, events: after, created: { events: [] } },
        },
        { device: 'Pump', events, expect: { events: [{ subject: 'Hot', state: 'new' }, { subject: 'Other' }] } },
        { device: 'Fan' },
        { events: [{ level: 'loud', subject: 'x' }] },
      ],
      { world },
    )
    expect(result.lines.slice(0, 2)).toEqual([[], ['events.0']])
    expect(result.file.cases[2].problem).toBe('Expected the name of a device in "device", got "Fan"')
    expect(result.file.cases[3].problem).toMatch(/level/)
  })

  test('a mail counts as sent when the real service takes it', async () => {
    const to = Array.from({ length: 6 }, (_, index) => `a${index}@b.example`)
    const config = { toAddresses: to, subjectTemplate: 'Hi', bodyTemplate: 'x', resultPath: 'working.mail' }
    const result = await run(flow([{ id: 'm', type: 'StructureEmailNode', config, outputIds: [[]] }]), [
      { expect: { mails: [], payload: { working: { mail: { error: { type: 'Validation' } } } } } },
    ])
    expect(result.lines).toEqual([[]])
  })

  test('the first reply counts, with its status, headers and cookies', async () => {
    const reply = (id: string, body: string, next: string[]): Node => ({
      ...{ id, type: 'EndpointReplyNode', outputIds: [next] },
      config: {
        ...{ replyType: 'custom', bodyTemplateType: 'json', bodyTemplate: body, responseCodeTemplate: '201' },
        headerInfo: [{ keyTemplate: 'X-One', valueTemplate: '1' }],
        cookieInfo: [{ nameTemplate: 'a', valueTemplate: 'b' }, { nameTemplate: 'old' }],
      },
    })
    const two = flow(
      [reply('a', '{"n":1}', ['b']), reply('b', '{"n":2}', [])],
      [{ type: 'endpoint', key: 'e', outputIds: [['a']] }],
    )
    const result = await run(two, [
      {
        expect: {
          path: ['a', 'b'],
          reply: {
            ...{ status: 201, body: { n: 1 }, headers: { 'x-one': '1' }, cookies: { a: { value: 'b' }, old: null } },
            ...{ contains: ['"n":1'], notContains: ['2'] },
          },
        },
      },
      { expect: { reply: { status: 200, body: { n: 2 }, contains: ['two'], notContains: ['"n"'] } } },
      { expect: { reply: 'none' } },
    ])
    expect(result.lines).toEqual([[], ['reply.status', 'reply.body.n', 'reply.text', 'reply.text'], ['reply']])
  })

  test('a flow of another experience version replies with the pages of that version', async () => {
    const view = '~exportplaceholderid-experienceView-hello~'
    const nodes = [
      { id: 'r', type: 'EndpointReplyNode', config: { replyType: 'page', pageIdTemplate: view }, outputIds: [[]] },
    ]
    const triggers = [{ type: 'endpoint', key: 'e', outputIds: [['r']] }]
    const own = { name: 'F', flowId: '~exportplaceholderid-flow-f~', version: 'admin', triggers, nodes }
    const page = {
      id: view,
      name: 'hello',
      viewType: 'page',
      version: 'admin',
      body: '<h1>{{experience.version}}</h1>',
    }
    const file = { resourceType: 'ExperienceFlowVersion', version: 1, resources: [own] }
    const expected = {
      payload: { experience: { version: 'admin' } },
      reply: { page: 'hello', contains: ['<h1>admin</h1>'] },
    }
    expect((await run(file, [{ expect: expected }], { world: { views: [page] } })).lines).toEqual([[]])
    out = []
    const other = await run({ ...file, resources: [{ ...own, version: 'gone' }] }, [
      { expect: { reply: { status: 200 } } },
    ])
    expect(other.lines).toEqual([[]])
  })

  test('nothing of the environment reaches a test', async () => {
    process.env.SMTP_URL = 'smtp://127.0.0.1:1'
    try {
      const mail = flow([
        {
          id: 'm',
          type: 'StructureEmailNode',
          config: {
            toAddresses: ['a@b.example'],
            subjectTemplate: 'Hi',
            bodyTemplate: 'x',
            resultPath: 'working.mail',
          },
          outputIds: [[]],
        },
      ])
      const result = await run(mail, [
        {
          expect: {
            mails: [{ to: ['a@b.example'], subject: 'Hi' }],
            payload: { working: { mail: { error: { $absent: true } } } },
          },
        },
      ])
      expect(result.lines).toEqual([[]])
    } finally {
      delete process.env.SMTP_URL
    }
  })
})

describe('coverage', () => {
  test('counts wires: of triggers, of outputs, of the bodies of loops', async () => {
    const loop = flow([
      {
        id: 'l',
        type: 'LoopNode',
        config: { loopSourcePath: 'data.list', currentItemPath: 'working.item' },
        outputIds: [['end'], ['in']],
      },
      { ...set('in', 'x', ['cap'], 'working.x'), meta: { groupId: 'l', label: 'In' } },
      { id: 'cap', type: 'LoopCapNode', config: { loopNodeId: 'l' }, meta: { groupId: 'l' }, outputIds: [] },
      set('end', 'y'),
    ])
    const none = await run(loop, [{ data: { list: [] } }])
    expect(none.file.wires).toMatchObject({
      taken: 2,
      all: 4,
      missing: [
        { from: 'LoopNode', output: 'each', to: 'In' },
        { from: 'In', to: 'LoopCapNode' },
      ],
    })
    expect(none.totals.percent).toBe(50)
    out = []
    expect((await run(loop, [{ data: { list: [1] } }])).file.wires).toMatchObject({ taken: 4, all: 4, missing: [] })
  })

  test('a branch that fails has not taken its wire', async () => {
    const broken = flow([{ ...set('a', '{{#nope}}', ['b']) }, set('b', '1')])
    const result = await run(broken, [{ expect: { error: 'template.syntax' } }])
    expect(result.file.wires).toMatchObject({ taken: 1, all: 2 })
  })

  test('--min-coverage fails what is below, and refuses what is no percentage', async () => {
    await put('f.json', fork)
    await put('f.test.json', { tests: [{ name: 'one', data: { n: 9 } }] })
    expect(await command(folder, '--min-coverage', '66')).toBe(0)
    expect(await command(folder, '--min-coverage', '67')).toBe(1)
    expect(err).toEqual(['Expected at least 67 % of the wires to be taken, got 66 %'])
    expect(out).toContain('          not taken: Big? (false) -> Set small')
    await expect(command(folder, '--min-coverage', 'all')).rejects.toThrow(ConfigError)
    await expect(command(folder, '--min-coverage', '101')).rejects.toThrow(ConfigError)
  })
})

describe('files', () => {
  test('what is wrong with a file is told all at once, with pointers, and nothing is run', async () => {
    await put('f.json', fork)
    const file = await put(
      'f.test.yaml',
      'clock: yesterday\nworld: { pumps: [] }\ntests:\n  - nam: a\n  - name: b\n    expects: {}\n    expect: { reply: { statuss: 1 }, path: a, created: { pumps: [] } }\n    mocks: { a: { write: 1 } }\n    http: [{ status: 99 }]\n',
    )
    expect(await command(file)).toBe(1)
    const pointers = out.map((line) => / at (\S+): Expected/.exec(line)?.[1]).filter(Boolean)
    expect(pointers.sort()).toEqual(
      [
        ...[
          '/clock',
          '/world/pumps',
          '/tests/0/name',
          '/tests/0/nam',
          '/tests/1/expects',
          '/tests/1/expect/reply/statuss',
        ],
        ...[
          '/tests/1/expect/path',
          '/tests/1/expect/created/pumps',
          '/tests/1/mocks/a/write',
          '/tests/1/http/0/status',
          '/tests/1/http/0/request',
        ],
      ].sort(),
    )
    expect(out[0]).toContain(`${file}:1: error`)
    expect(out.at(-1)).toBe('1 files, 0 passed, 0 failed, 1 files could not be run; wires 0 of 0 (100 %)')
  })

  test.each(['', 'tests: []\n  - x: [', '[]', 'null', '{"tests": 5}'])(
    'a file of %j is a problem, not a crash',
    async (text) => {
      await put('f.json', fork)
      await put('f.test.yaml', text)
      expect(await command(folder)).toBe(1)
      expect(out.at(-1)).toContain('1 files could not be run')
    },
  )

  test('a world that cannot be made says where, in the test file', async () => {
    const result = await run(fork, [{}], { world: { users: [{ firstName: 'A' }] } })
    expect(result.code).toBe(1)
    expect(result.file.problems).toMatchObject([{ pointer: '/world/users/0/email', file: join(folder, 'f.test.json') }])
  })

  test.each<[object, RegExp]>([
    [{ trigger: 3 }, /"trigger" to be below 1, got 3/],
    [{ trigger: 'POST /x' }, /expected one of b, got POST \/x/],
  ])('a trigger that is none is a problem: %j', async (one, problem) => {
    expect((await run(fork, [one])).file.cases[0].problem).toMatch(problem)
  })

  test('a position tells triggers of one key apart', async () => {
    const both = flow(
      [set('a', '1'), set('b', '2')],
      [
        { type: 'deviceTag', key: 'kind/pump', outputIds: [['a']] },
        { type: 'deviceTag', key: 'kind/pump', outputIds: [['b']] },
      ],
    )
    const result = await run(both, [
      { trigger: 1, expect: { path: ['b'] } },
      { trigger: 0, expect: { path: ['a'] } },
      { trigger: 'kind/pump', expect: { path: ['a'] } },
    ])
    expect({ lines: result.lines, percent: result.totals.percent }).toEqual({ lines: [[], [], []], percent: 100 })
  })

  test('a flow means the tests beside it; a folder all below it', async () => {
    const one = await put('a/f.json', fork)
    await put('a/f.test.yaml', 'tests: [{ name: one, data: { n: 9 } }]')
    await put('b/c/g.test.json', { flow: '../../a/f.json', tests: [{ name: 'two', data: { n: 1 } }] })
    expect(await command(one)).toBe(0)
    expect(out.at(-1)).toContain('1 files, 1 passed')
    expect(await command(folder)).toBe(0)
    expect(out.at(-1)).toContain('2 files, 2 passed')
  })

  test('asks for a flow, for tests and for a place that are there', async () => {
    await put('g.test.json', { tests: [{ name: 'one' }] })
    await put('f.json', fork)
    await put('f.test.json', { tests: [{ name: 'one', data: { n: 9 } }] })
    await put('e.test.json', { flow: 'f.json', application: 'nowhere', tests: [{ name: 'one' }] })
    expect(await command(folder)).toBe(1)
    expect(out.join('\n')).toMatch(/e.test.json.*Expected a folder that holds an application/)
    expect(out.join('\n')).toMatch(/the flow of .*g.test.json in .*g.yaml or .json/)
    expect(out.at(-1)).toContain('3 files, 1 passed, 0 failed, 2 files could not be run')
    await expect(command(await put('h/f.json', fork))).rejects.toThrow(/tests beside the flow/)
    await expect(command(join(folder, 'h'))).rejects.toThrow(/files named \*\.test\.yaml/)
    await expect(command(join(folder, 'nowhere'))).rejects.toThrow(/a file or a folder/)
  })

  test('leaves nothing behind', async () => {
    const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith('headgate-test-'))
    const before = left()
    await run(fork, [{ data: { n: 1 } }])
    expect(left().filter((name) => !before.includes(name))).toEqual([])
  })
})

describe('--junit', () => {
  test('writes XML that a parser takes, whatever the names hold', async () => {
    const name = 'a < b & "c" \' ]]> \u0000\u0007\ud800 é'
    await put('f.json', fork)
    await put('f.test.json', {
      tests: [{ name }, { name: 'good' }, { name: 'bad', expect: { path: ['<when>'] } }].map((one) => ({
        data: { n: 9 },
        ...one,
      })),
    })
    await put('g.test.json', '{')
    const file = join(folder, 'junit.xml')
    expect(await command(folder, '--junit', file)).toBe(1)
    const xml = readFileSync(file, 'utf8')
    expect(xml).toContain('<testsuite name="')
    expect(xml).toContain('tests="3" failures="1" errors="0"')
    expect(xml).toContain('tests="1" failures="0" errors="1"')
    expect(xml).toContain('a &lt; b &amp; &quot;c&quot; &apos; ]]&gt; ??\ufffd é')
    expect(xml).toContain('path: expected &lt;when&gt;, got Big? &gt; Set big')
    expect(elementsOf(xml)).toMatchObject({ testsuites: 1, testsuite: 2, testcase: 4, failure: 1, error: 1 })
  })
})

test('docs/flow-tests.md: its example runs', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/flow-tests.md'), 'utf8')
  const [flowText, testText] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!)
  expect(parse(flowText!)).toMatchObject({ resourceType: 'Flow' })
  await put('low-fuel.yaml', flowText)
  await put('low-fuel.test.yaml', testText)
  expect({ code: await command(folder, '--min-coverage', '100'), out }).toMatchObject({ code: 0 })
})
