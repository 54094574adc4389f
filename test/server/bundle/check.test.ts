import { describe, expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'
import { catalog } from '../../../nodes/index.ts'
import { checkBundle } from '../../../server/bundle/check.ts'
import { readBundle } from '../../../server/bundle/read.ts'
import { treeOf } from '../../../server/bundle/tree.ts'
import {
  application,
  type Contents,
  cloudFlow,
  device,
  endpoint,
  envelope,
  experienceFlow,
  group,
  ref,
  smallApp,
  user,
  view,
} from './small-app.ts'

async function check(contents: Contents) {
  const bundle = await readBundle(treeOf('small', contents))
  return checkBundle(bundle, { catalog, templates: openTemplates() })
}

const node = (id: string, type: string, more: object = {}) => ({
  id,
  type,
  config: {},
  meta: {},
  outputIds: [],
  ...more,
})

test('finds nothing wrong with a sound application, and names its flows', async () => {
  expect(await check(smallApp())).toEqual({
    problems: [],
    unsupported: {},
    flows: [
      { file: 'experience/develop/workflows/Greet.yaml', flow: 'greet' },
      { file: 'workflows/cloud/Tick.yaml', flow: 'tick' },
    ],
  })
})

describe('resources', () => {
  const rows: [string, string, object[], { code?: string; pointer: string; severity?: string }[]][] = [
    ['a missing name', 'DeviceTree', [device('x', { name: undefined })], [{ pointer: '/resources/0/name' }]],
    ['a wrong class', 'DeviceTree', [device('x', { deviceClass: 'robot' })], [{ pointer: '/resources/0/deviceClass' }]],
    [
      'a wrong type below',
      'DeviceTree',
      [device('x', { children: [device('y', { attributes: [{ name: 'a b', dataType: 'float' }] })] })],
      [
        { pointer: '/resources/0/children/0/attributes/0/name' },
        { pointer: '/resources/0/children/0/attributes/0/dataType' },
      ],
    ],
    ['no address', 'ExperienceUser', [user('x', { email: 'nobody' })], [{ pointer: '/resources/0/email' }]],
    [
      'groups that are no list',
      'ExperienceUser',
      [user('x', { experienceGroupIds: 'east' })],
      [{ pointer: '/resources/0/experienceGroupIds' }],
    ],
    [
      'a group by its name',
      'ExperienceUser',
      [user('x', { experienceGroupIds: ['east'] })],
      [{ pointer: '/resources/0/experienceGroupIds/0' }],
    ],
    ['a wrong method', 'ExperienceEndpoint', [endpoint('fetch', '/')], [{ pointer: '/resources/0/method' }]],
    [
      'a wrong status',
      'ExperienceEndpoint',
      [endpoint('get', '/', { staticReply: { type: 'page', value: 'x', statusCode: 42 } })],
      [{ pointer: '/resources/0/staticReply/statusCode' }],
    ],
    [
      'an enabled that is text',
      'ExperienceEndpoint',
      [endpoint('get', '/', { enabled: 'yes' })],
      [{ pointer: '/resources/0/enabled' }],
    ],
    [
      'an unknown field',
      'ExperienceEndpoint',
      [endpoint('get', '/', { acess: 'group' })],
      [{ code: 'resource.unknown', pointer: '/resources/0/acess', severity: 'warning' }],
    ],
    [
      'globals that are not JSON',
      'ExperienceVersion',
      [{ version: 'v1', globals: [{ key: 'a', json: '{' }] }],
      [{ pointer: '/resources/0/globals/0/json' }],
    ],
    [
      'a query that is not JSON',
      'ExperienceGroupTree',
      [group('x', { deviceQueryJson: '{' })],
      [{ pointer: '/resources/0/deviceQueryJson' }],
    ],
    ['an id of no form', 'ExperienceGroupTree', [group('x', { id: 'x' })], [{ pointer: '/resources/0/id' }]],
    [
      'the same id twice',
      'ExperienceGroupTree',
      [group('x'), group('x')],
      [{ code: 'bundle.duplicate', pointer: '/resources/1' }],
    ],
    [
      'the same address twice',
      'ExperienceUser',
      [user('x'), user('y', { email: 'X@Example.com' })],
      [{ code: 'bundle.duplicate', pointer: '/resources/1' }],
    ],
    [
      'routes that fit the same paths',
      'ExperienceEndpoint',
      [endpoint('get', '/a/{b}'), endpoint('get', '/a/{c}', { id: ref('experienceEndpoint', 'other') })],
      [{ code: 'route.conflict', pointer: '/resources/1/route' }],
    ],
    [
      'a route where the server itself answers',
      'ExperienceEndpoint',
      [endpoint('get', '/_files/{path*}'), endpoint('get', '/_filesystem')],
      [{ code: 'route.reserved', pointer: '/resources/0/route', severity: 'warning' }],
    ],
    [
      'a route that cannot be read',
      'ExperienceEndpoint',
      [endpoint('get', '/a/{b')],
      [{ code: 'route.syntax', pointer: '/resources/0/route' }],
    ],
    [
      'a version of no flow',
      'FlowVersion',
      [cloudFlow('x', { flowId: ref('flow', 'none'), version: 'v1' })],
      [
        { code: 'bundle.missing', pointer: '/resources/0/flowId' },
        { code: 'reference.unresolved', pointer: '/resources/0/flowId', severity: 'warning' },
      ],
    ],
    [
      'a dangling reference',
      'ExperienceUser',
      [user('x', { experienceGroupIds: [ref('experienceGroup', 'none')] })],
      [{ code: 'reference.unresolved', pointer: '/resources/0/experienceGroupIds/0', severity: 'warning' }],
    ],
  ]
  test.each(rows)('%s', async (_what, kind, resources, expected) => {
    const { problems } = await check({ 'application.yaml': application(), 'a.yaml': envelope(kind, ...resources) })
    expect(problems).toMatchObject(
      expected.map((one) => ({ code: 'resource.field', severity: 'error', file: 'a.yaml', ...one })),
    )
    expect(problems).toHaveLength(expected.length)
  })
})

describe('flows', () => {
  const rows: [string, object, object[]][] = [
    [
      'a dangling wire',
      { nodes: [node('end', 'ConditionalNode', { config: { expression: 'true' }, outputIds: [['gone'], []] })] },
      [{ code: 'document.wire', node: 'end', pointer: '/resources/0/nodes/0/outputIds/0/0', severity: 'error' }],
    ],
    [
      'a setting of the wrong type',
      { nodes: [node('end', 'ConditionalNode', { config: { expression: {} } })] },
      [{ node: 'end', pointer: '/resources/0/nodes/0/config/expression', severity: 'error' }],
    ],
    [
      'an unknown type',
      { nodes: [node('end', 'TeleportNode')] },
      [{ code: 'node.unknown', node: 'end', pointer: '/resources/0/nodes/0/type', severity: 'warning' }],
    ],
    [
      'nodes that are no list',
      { triggers: [], nodes: 'none' },
      [{ code: 'document.type', pointer: '/resources/0/nodes', severity: 'error' }],
    ],
    [
      'a global that is not JSON',
      { globals: [{ key: 'a', json: 'x' }] },
      [{ code: 'document.globals', pointer: '/resources/0/globals/0/json', severity: 'error' }],
    ],
    ['no name', { name: undefined }, [{ code: 'resource.field', pointer: '/resources/0/name', severity: 'error' }]],
  ]
  test.each(rows)('%s', async (_what, more, expected) => {
    const { problems } = await check({
      'application.yaml': application(),
      'a.yaml': envelope('Flow', cloudFlow('tick', more)),
    })
    expect(problems).toMatchObject(expected.map((one) => ({ file: 'a.yaml', ...one })))
    expect(problems).toHaveLength(expected.length)
  })

  test('what is not supported is one table: types of nodes and triggers, kinds of resources', async () => {
    const odd = cloudFlow('odd', {
      triggers: [{ type: 'moonPhase', key: '', config: {}, meta: {}, outputIds: [['a']] }],
      nodes: [
        ...[node('a', 'TeleportNode'), node('b', 'TeleportNode'), node('c', '__proto__')],
        node('d', 'EndpointReplyNode', { config: { replyType: 'mqtt' } }),
        node('e', 'EndpointReplyNode', { config: { replyType: 'custom' } }),
      ],
    })
    const { problems, unsupported } = await check({
      'application.yaml': application(),
      'a.yaml': envelope('Flow', odd),
      'dashboards/d.yaml': envelope('Dashboard', { id: ref('dashboard', 'd'), name: 'd', blocks: 'whatever' }),
    })
    expect(Object.entries(unsupported).sort()).toEqual([
      ['Dashboard', 1],
      ['EndpointReplyNode (mqtt)', 1],
      ['TeleportNode', 2],
      ['__proto__', 1],
      ['moonPhase', 1],
    ])
    expect(problems.every((one) => one.severity === 'warning')).toBe(true)
  })
})

test('views: a layout without its page is an error, a syntax error a warning', async () => {
  const { problems } = await check({
    'application.yaml': application(),
    'v/v.yaml': envelope('ExperienceView', view('layout', 'main'), view('page', 'home')),
    'v/main.hbs': '<main></main>',
    'v/home.hbs': '{{#if a}}',
  })
  expect(problems).toMatchObject([
    { code: 'view.layout', file: 'v/main.hbs', severity: 'error' },
    { code: 'template.syntax', file: 'v/home.hbs', severity: 'warning' },
  ])
})

test('knows flows that only their versions name, and texts in bodies and the read-me', async () => {
  const { problems } = await check({
    'application.yaml': application(),
    'README.md': `${ref('flow', 'greet')} ${ref('flow', 'none')}`,
    'g.yaml': envelope('ExperienceFlowVersion', experienceFlow('greet')),
    'v.yaml': envelope('ExperienceView', view('page', 'home')),
    'home.hbs': `${ref('flow', 'greet')} ${ref('device', 'none')} https://~exportplaceholderid-docs-url~/`,
  })
  expect(problems).toMatchObject([
    { code: 'reference.unresolved', file: 'home.hbs' },
    { code: 'reference.unresolved', file: 'README.md' },
  ])
})

test('everything wrong is said at once', async () => {
  const { problems } = await check({
    'application.yaml': application({ blobUrlTTL: 'long' }),
    'a.yaml': 'a: [',
    'b.yaml': envelope('Flow', cloudFlow('tick', { nodes: [node('x', 'ConditionalNode')] })),
    'c.yaml': envelope('ExperienceUser', user('x', { email: 1 })),
  })
  const files = problems.filter((one) => one.severity === 'error').map((one) => one.file)
  expect([...new Set(files)].sort()).toEqual(['a.yaml', 'application.yaml', 'b.yaml', 'c.yaml'])
})
