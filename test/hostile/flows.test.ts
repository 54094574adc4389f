import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ClientRequest } from '../helpers/client.ts'
import { asPage, expectClean, type FlowNode, mutate, openWorld, reply, script, trigger, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld({ replyTimeoutMs: 1_500, runTimeoutMs: 1_200 })
})
afterAll(() => world.close())
afterEach(() => {
  expect({}).not.toHaveProperty('polluted')
  // What goes wrong is an author's doing, said in a line: never a fault of ours, never a book.
  for (const line of world.logged()) {
    expect(line.level).toBe(40)
    expect(JSON.stringify(line).length).toBeLessThan(3_000)
    expect(JSON.stringify(line)).not.toMatch(/secret-of|node_modules|acme/)
  }
})

let routes = 0

/** Serves a flow of these nodes to one request, while the other application is asked. */
async function run(nodes: FlowNode[], request: Partial<ClientRequest> = {}) {
  const route = `/r${routes++}`
  const method = request.method ?? 'GET'
  await world.hostile.serve(route, nodes, { method: method.toLowerCase() })
  const path = `${route}${request.path ?? ''}`
  const { result } = await world.meanwhile(() => world.hostile.client.send({ ...request, method, path }))
  expectClean(result, world)
  return result
}

const text = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'text/plain' } })
const nest = (open: string, close: string, depth: number) => `${open.repeat(depth)}x${close.repeat(depth)}`
const list = (count: number, item = 'i') => script(`payload.list = Array.from({ length: ${count} }, (_, i) => ${item})`)
const array = (...rules: object[]): FlowNode => ({ type: 'ArrayNode', config: { sourceArrayPath: 'list', rules } })
const circle = (node: FlowNode): FlowNode[] => [
  { ...node, outputIds: [['n1']] },
  { ...node, outputIds: [['n0']] },
]
const branch = [['n9'], ['n9']]
const done: FlowNode = { id: 'n9', ...reply('done') }
const either = (type: string, config: object): FlowNode => ({ type, config, outputIds: branch })
const loop = (count: string, body: FlowNode, more: object = {}): FlowNode[] => [
  script(`payload.count = ${count}; payload.filler = Array.from({ length: 50000 }, (_, i) => i)`),
  {
    type: 'LoopNode',
    config: { loopSourcePath: 'count', currentItemPath: 'current', ...more },
    outputIds: branch.with(1, ['n2']),
  },
  { ...body, meta: { groupId: 'n1' }, outputIds: [[]] },
  done,
]

const LOOPS = nest('{{#each @root.list}}', '{{/each}}', 8)
const BIG = `{{#each list}}{{#each @root.list}}${'x'.repeat(5_000)}{{/each}}{{/each}}`

describe('templates', () => {
  test.each<[string, FlowNode[], RegExp]>([
    ['a loop of loops in a reply', [list(1_000), reply(LOOPS)], /more than 500000 steps/],
    [
      'in an expression',
      [list(1_000), either('ConditionalNode', { expression: `{{template "${LOOPS}"}} === 1` }), done],
      /more than 500000 steps/,
    ],
    [
      'in a storage key',
      [list(1_000), { type: 'StoreValueNode', config: { keyName: LOOPS, valueType: 'json', value: '1' } }, done],
      /more than 500000 steps/,
    ],
    ['in a debug message', [list(1_000), { type: 'DebugNode', config: { message: LOOPS } }, done], /^done$/],
    [
      'in a filter of a list',
      [
        list(1_000),
        array({ type: 'filter', inputTemplate: `{{template "${LOOPS.replaceAll('root.list', 'root.array')}"}} === 1` }),
        done,
      ],
      /more than 500000 steps/,
    ],
    ['text that explodes in a reply', [list(1_000), reply(BIG)], /more than 5000000 characters/],
    [
      'in a header',
      [
        list(1_000),
        reply('x', { headerInfo: [{ keyTemplate: 'x-a', valueTemplate: `{{#each list}}${'x'.repeat(50)}{{/each}}` }] }),
      ],
      /bytes of headers/,
    ],
    [
      'in a message of an error',
      [
        list(1_000),
        { type: 'ThrowErrorNode', config: { messageTemplate: `{{#each list}}${'x'.repeat(4_000)}{{/each}}` } },
      ],
      /^.{900,1200}$/,
    ],
    [
      'in a storage key',
      [
        list(1_000),
        { type: 'StoreValueNode', config: { keyName: '{{jsonEncode list}}', valueType: 'json', value: '1' } },
        done,
      ],
      /storage key of at most/,
    ],
    ['one that cannot be parsed', [reply('{{#each x}}')], /Expected a Handlebars template/],
    ['a helper that does not exist', [reply('{{eval "process.exit()"}}')], /eval/],
    [
      'prototypes',
      [
        reply(
          '{{constructor.constructor}}{{#with this.__proto__}}{{constructor.name}}{{/with}}{{lookup this "__proto__"}}|',
        ),
      ],
      /^\|$/,
    ],
    [
      'a pattern that backtracks',
      [list(1), mutate({ a: `${'a'.repeat(5_000)}!` }), reply('{{match a "^(a+)+$"}}')],
      /^false$/,
    ],
  ])('%s', async (_, nodes, said) => {
    expect((await run(nodes)).text).toMatch(said)
  })

  test.each<[string, string, RegExp]>([
    ['page', LOOPS.replaceAll('root.list', 'root.pageData'), /In page .*more than 500000 steps/],
    ['page', '{{#each}}', /In page /],
    ['layout', `{{page}}${LOOPS.replaceAll('root.list', 'root.pageData')}`, /In layout .*more than 500000 steps/],
    ['component', '{{component "bad"}}{{component "bad"}}', /In component .*more than 20 deep/],
  ])('in a %s: %.20s', async (kind, body, said) => {
    const name = kind === 'component' ? 'bad' : `bad ${routes}`
    const id = await world.hostile.view(kind as 'page', name, body)
    const more = kind === 'layout' ? { layoutId: id } : {}
    const page =
      kind === 'page'
        ? id
        : await world.hostile.view(
            'page',
            `around ${routes}`,
            '{{component "bad"}}'.repeat(kind === 'component' ? 1 : 0),
            more,
          )
    const nodes = [
      list(1_000),
      { type: 'EndpointReplyNode', config: { ...asPage(page), bodyTemplateType: 'path', bodyTemplate: 'list' } },
    ]
    expect(await run(nodes)).toMatchObject({ status: 500, text: expect.stringMatching(said) })
    // The same page as a static reply, without a flow.
    await world.hostile.serve(`/static${routes}`, undefined, { staticReply: { type: 'page', value: page } })
    const answer = await world.hostile.client.get(`/static${routes}`)
    expectClean(answer, world)
    world.logged()
  })

  test('a page of another application does not exist', async () => {
    const [theirs] = await world.innocent.app.collection('views').find({ limit: 1 })
    const id = theirs?.id ?? ''
    expect(id).toMatch(/^[0-9a-f]{24}$/)
    const answer = await run([{ type: 'EndpointReplyNode', config: asPage(id) }])
    expect([answer.status, answer.text]).toMatchObject([500, expect.stringContaining('got none')])
  })
})

describe('what a reply may say', () => {
  const header = (name: string, value: string) =>
    reply('x', { headerInfo: [{ keyTemplate: name, valueTemplate: value }] })
  const cookie = (one: object) => reply('x', { cookieInfo: [one] })
  const break_ = '?v=a%0d%0aSet-Cookie:%20x=1'
  test.each<[string, FlowNode, string, number]>([
    ['a line break in a header', header('x-a', '{{data.query.v}}'), break_, 500],
    ['in the name of a header', header('{{data.query.v}}', '1'), break_, 500],
    ['in a cookie', cookie({ nameTemplate: 'a', valueTemplate: '{{data.query.v}}' }), break_, 200],
    [
      'in the path of a cookie',
      cookie({ nameTemplate: 'a', valueTemplate: '1', pathTemplate: '{{data.query.v}}' }),
      '?v=/;%20Domain=localhost',
      500,
    ],
    [
      'in the name of a cookie',
      cookie({ nameTemplate: '{{data.query.v}}', valueTemplate: '1' }),
      '?v=a=b;Domain=localhost',
      500,
    ],
    [
      'in a redirect',
      {
        type: 'EndpointReplyNode',
        config: { replyType: 'redirect', bodyTemplateType: 'string', bodyTemplate: '{{data.query.v}}' },
      },
      break_,
      302,
    ],
    ['a length of its own', header('Content-Length', '1'), '', 500],
    ['chunks of its own', header('Transfer-Encoding', 'chunked'), '', 500],
    ['a status that promises another', reply('x', { responseCodeTemplate: '101' }), '', 200],
  ])('%s', async (_, node, path, status) => {
    const answer = await run([node], { path })
    expect(answer.status).toBe(status)
    expect(answer.headers).not.toHaveProperty('x')
    for (const line of answer.headers['set-cookie'] ?? []) expect(line).not.toMatch(/[\r\n]|; ?domain=/i)
    expect(answer.headers['set-cookie']?.length ?? 0).toBeLessThanOrEqual(1)
    expect(answer.headers.location ?? '').not.toMatch(/[\r\n]/)
    world.hostile.client.cookies.clear()
  })
})

describe('functions', () => {
  test.each<[string, string, RegExp]>([
    ['loops', 'for (;;);', /took longer/],
    ['allocates without end', 'const a = []; for (;;) a.push(new Array(1e6).fill(7))', /of memory|took longer/],
    [
      'allocates outside the heap',
      'const a = []; for (;;) a.push(new Uint8Array(1e7).fill(7))',
      /allocation failed|of memory/,
    ],
    [
      'throws an error that never ends',
      'throw { get message() { for (;;); }, get stack() { for (;;); } }',
      /took longer/,
    ],
    ['throws nothing', 'throw null', /null/],
    ['throws 50 MB', 'throw new Error("x".repeat(5e7))', /x{900}/],
    ['returns 100 MB', 'payload.x = "x".repeat(1e8)', /at most 5242880 bytes|took longer/],
    ['returns what contains itself', 'payload.self = payload', /circular/],
    [
      'returns a value nested beyond reason',
      'let a = []; for (let i = 0; i < 9e4; i++) a = [a]; payload.x = a',
      /500 levels|call stack|took longer/,
    ],
    ['returns text for the payload', 'return "x"', /Expected the script to leave an object/],
    ['returns a promise', 'return new Promise(() => {})', /got a promise/],
    ['rejects behind its back', 'Promise.reject(new Error("boo"))', /boo/],
    [
      'asks for the process',
      'payload.x = this.constructor.constructor("return process")().env',
      /process is not defined/,
    ],
    ['asks for a module', 'payload.x = require("fs")', /require is not defined/],
    ['imports a module', 'return import("node:fs")', /promise|import|not supported/i],
    ['closes its brackets and goes on', '}); for (;;); ({', /Expected a script that compiles/],
    ['leaves a comment open', '/*', /Expected a script that compiles/],
    ['poisons its world', 'Object.prototype.toJSON = () => "p"; Array.prototype.map = () => { for (;;); }', /./],
    ['writes a million lines', 'for (let i = 0; i < 1e6; i++) console.log("x".repeat(1000))', /ok|took longer/],
  ])('one that %s', async (_, source, said) => {
    expect((await run([script(source), reply('ok')])).text).toMatch(said)
  })

  test('the next one finds its world as it was', async () => {
    const answer = await run([
      script('payload.x = [typeof Object.prototype.toJSON, [1].map((n) => n + 1)]'),
      reply('{{jsonEncode x}}'),
    ])
    expect(answer.text).toBe('["undefined",[2]]')
  })
})

describe('runs without an end', () => {
  const copyAll = Array.from({ length: 100 }, () => ({ type: 'copy', source: '.', destination: 'self' }))
  const grow = Array.from({ length: 15 }, () => ({ type: 'concat', inputTemplate: '{{list}}' }))
  test.each<[string, FlowNode[], RegExp]>([
    ['a circle', circle(mutate({ a: '1' })), /more than 50000 nodes|took longer/],
    [
      'a circle that forks',
      [
        { ...mutate({}), outputIds: [['n1', 'n1']] },
        { ...mutate({}), outputIds: [['n0']] },
      ],
      /1000 branches|took longer/,
    ],
    ['a loop of a billion turns', loop('1e9', mutate({ b: '1' })), /at most 262144 items/],
    ['of a billion turns at a time', loop('1e9', mutate({ b: '1' }), { parallel: true }), /at most 262144 items/],
    ['a long loop with a large payload', loop('100000', mutate({ b: '1' })), /took longer/],
    ['at a time', loop('100000', mutate({ b: '1' }), { parallel: true }), /took longer/],
    ['a payload put into itself', circle(mutate({}, copyAll)), /500 levels|beyond|larger than/],
    [
      'a list added to itself',
      [list(2), { ...array(...grow), outputIds: [['n2']] }, { ...array(...grow), outputIds: [['n1']] }],
      /at most 262144 items/,
    ],
    [
      'a sort of all that fits',
      [list(200_000, '-i'), array(...Array.from({ length: 15 }, () => ({ type: 'sort' }))), done],
      /done|took longer/,
    ],
    [
      'groups of all that fits',
      [list(100_000, '({ a: { b: i } })'), array({ type: 'groupBy', inputTemplate: 'a.b', outputPath: 'g' }), done],
      /done|beyond|larger/,
    ],
    [
      'debug of a value that is large',
      [list(200_000), ...Array.from({ length: 20 }, (): FlowNode => ({ type: 'DebugNode', config: {} })), done],
      /done/,
    ],
    [
      'a schema that leads to itself',
      [either('ValidatePayloadNode', { schema: '{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}' }), done],
      /lead to itself/,
    ],
    [
      'a schema with a pattern that backtracks',
      [
        mutate({ a: `${'a'.repeat(5_000)}!` }),
        either('ValidatePayloadNode', { schema: '{"properties":{"a":{"pattern":"^(a+)+$"}}}' }),
        done,
      ],
      /done/,
    ],
    [
      'a schema from another server',
      [either('ValidatePayloadNode', { schema: '{"$ref":"http://127.0.0.1/x"}' }), done],
      /stay in this schema/,
    ],
  ])('%s', async (_, nodes, said) => {
    expect((await run(nodes)).text).toMatch(said)
  })
})

describe('names that reach a prototype', () => {
  const paths = [
    '__proto__.polluted',
    'constructor.prototype.polluted',
    'a.__proto__.polluted',
    'a.["__proto__"].polluted',
  ]
  const writers: [string, (path: string) => FlowNode[]][] = [
    ['mutate', (path) => [mutate({ a: '1' }), mutate({ [path]: '1' })]],
    ['loop', (path) => loop('2', mutate({ b: '1' }), { currentItemPath: path })],
    ['function', (path) => [script('return 1', path)]],
    ['array', (path) => [list(3), array({ type: 'length', outputPath: path })]],
    [
      'object',
      (path) => [
        { type: 'ObjectNode', config: { sourcePath: 'data', operations: [{ type: 'keys', outputPath: path }] } },
      ],
    ],
    [
      'json-decode',
      (path) => [mutate({ s: '[1]' }), { type: 'JsonDecodeNode', config: { source: 's', destination: path } }],
    ],
    [
      'validate-payload',
      (path) => [either('ValidatePayloadNode', { schema: '{"type":"string"}', errorsPath: path }), done],
    ],
    ['storage', (path) => [{ type: 'GetValueNode', config: { keyName: 'k', defaultValue: '1', valuePath: path } }]],
  ]
  test.each(writers)('a place of a %s node', async (_, nodesOf) => {
    for (const path of paths) {
      const nodes = nodesOf(path)
      const { status, text: said } = await run(nodes.at(-1) === done ? nodes : [...nodes, done])
      expect([path, status, said]).toEqual([path, 500, expect.stringContaining('choose another name')])
    }
  })

  const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
  test.each<[string, FlowNode[]]>([
    ['decoded', [{ type: 'JsonDecodeNode', config: { source: 'data.body', destination: 'x' } }]],
    [
      'set',
      [mutate({}, [{ type: 'set', valueTemplateType: 'json', valueTemplate: '{{data.body}}', destination: 'x' }])],
    ],
    [
      'merged',
      [
        script('payload.x = {}'),
        {
          type: 'ObjectNode',
          config: {
            sourcePath: 'x',
            operations: [
              { type: 'mergeDeep', inputTemplate: '{{data.body}}' },
              { type: 'assign', inputTemplate: '{{data.body}}' },
            ],
          },
        },
      ],
    ],
    [
      'grouped',
      [
        list(1, '({ k: "__proto__", polluted: 1 })'),
        array(
          { type: 'groupBy', inputTemplate: 'k', outputPath: 'x' },
          { type: 'keyBy', inputTemplate: 'k', outputPath: 'y' },
        ),
      ],
    ],
    ['made by a function', [script(`payload.x = JSON.parse('${evil}')`)]],
    [
      'stored under such a key',
      [
        { type: 'StoreValueNode', config: { keyName: '__proto__', valueType: 'json', value: evil } },
        { type: 'GetValueNode', config: { getAll: true, valuePath: 'x' } },
      ],
    ],
  ])('keys of a value that is %s', async (_, nodes) => {
    const { status, text: said } = await run(
      [...nodes, mutate({ copy: '{{x}}' }), reply('{{x.polluted}}{{copy.polluted}}{{polluted}}|')],
      text(evil),
    )
    expect([status, said]).toEqual([200, '|'])
  })
})

describe('out of the server', () => {
  const get = (uriTemplate: string): FlowNode[] => [
    {
      type: 'HttpNode',
      config: { method: 'GET', uriTemplate, responsePath: 'r', errorBehavior: 'payloadPath', errorPath: 'e' },
    },
    reply('{{e.error.code}}|{{r.statusCode}}'),
  ]
  test.each([
    ...[
      '127.0.0.1:1',
      'localhost:3000',
      '[::1]:3000',
      '2130706433',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      '0',
      'user:pw@127.0.0.1',
    ],
    ...['169.254.169.254/latest/meta-data/', '[fd00:ec2::254]', '10.0.0.1', '100.100.100.200'],
  ])('a request to http://%s is refused', async (address) => {
    expect((await run(get(`http://${address}`))).text).toBe('http.refused|')
  })

  test('so is one that is sent there by a redirect', async () => {
    const seen: string[] = []
    const target = createServer((request, response) => {
      seen.push(request.url!)
      const port = (target.address() as AddressInfo).port
      response.writeHead(302, { location: `http://127.0.0.2:${port}/inside` }).end()
    }).listen(0, '0.0.0.0')
    await once(target, 'listening')
    const port = (target.address() as AddressInfo).port
    const open = await openWorld({ egressAllow: ['127.0.0.1'] })
    try {
      await open.hostile.serve('/go', get(`http://127.0.0.1:${port}/`))
      expect((await open.hostile.client.get('/go')).text).toBe('http.refused|')
      expect(seen).toEqual(['/'])
    } finally {
      await open.close()
      target.close()
    }
  })

  test('a mail has the recipients and headers that its fields say', async () => {
    const mail = (more: object): FlowNode => ({
      type: 'StructureEmailNode',
      config: { toAddresses: ['a@b.example'], subjectTemplate: 'x', bodyTemplate: 'x', resultPath: 'm', ...more },
    })
    const injected = '\r\nBcc: spy@evil.example\r\n\r\n'
    const { text: said } = await run([
      mail({ toAddresses: [`a@b.example${injected}`] }),
      mail({ subjectTemplate: `x${injected}`, fromTemplate: `me@x.example${injected}`, resultPath: 'n' }),
      reply('{{jsonEncode m.error.type}} {{jsonEncode n}}'),
    ])
    expect(said).toBe('"Validation" {"success":true}')
    const outbox = join(world.running.config.dataDir, 'outbox')
    const files = async () => (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml'))
    await expect.poll(files, { timeout: 10_000 }).toHaveLength(1)
    const mails = await Promise.all((await files()).map((file) => readFile(join(outbox, file), 'utf8')))
    expect(mails[0]).not.toMatch(/^bcc:/im)
  })
})

describe('endpoints', () => {
  test('one whose flow never replies: 504 after the time that is set, and a line in the log', async () => {
    const answer = await run([mutate({ a: '1' })])
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      504,
      { type: 'Timeout', message: expect.stringContaining('1.5 seconds') },
    ])
    expect(world.logged()).toMatchObject([{ msg: 'no flow replied in time', endpoint: expect.any(String) }])
  })

  test('one without a flow: 504 at once, and a line in the log', async () => {
    await world.hostile.serve('/nobody', undefined)
    const answer = await world.hostile.client.get('/nobody')
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      504,
      { message: expect.stringContaining('none is attached') },
    ])
    expect(world.logged()).toMatchObject([{ msg: 'no flow listens to the endpoint' }])
  })

  test('one whose flow fails, and whose error flow fails too: 500 with the first failure, both logged', async () => {
    const { id } = await world.hostile.serve('/twice', undefined)
    const fail = (name: string, messageTemplate: string) => ({
      id: name,
      type: 'ThrowErrorNode',
      config: { messageTemplate },
      outputIds: [],
    })
    await world.hostile.flow('twice', {
      triggers: [trigger(id, 'a'), { type: 'flowError', key: 'e', config: { scope: 'local' }, outputIds: [['b']] }],
      nodes: [fail('a', 'first'), fail('b', 'second')],
    })
    const answer = await world.hostile.client.get('/twice')
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([500, { message: 'first' }])
    expect(world.logged().map(({ reason }) => reason)).toEqual(['first', 'second'])
  })

  test('JSON that is nested millions of times is refused wherever it is read', async () => {
    const body = text('['.repeat(2_000_000))
    const readers: FlowNode[] = [
      { type: 'JsonDecodeNode', config: { source: 'data.body', destination: 'x' } },
      mutate({}, [{ type: 'set', valueTemplateType: 'json', valueTemplate: '{{data.body}}', destination: 'x' }]),
      mutate({ x: '{{jsonDecode data.body}}' }),
    ]
    for (const node of readers) expect((await run([node, done], body)).text).toContain('at most 500 levels')
  })
})
