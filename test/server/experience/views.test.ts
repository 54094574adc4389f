import { describe, expect, test, vi } from 'vitest'
import { checkView, openViews, type View } from '../../../server/experience/views.ts'

const fileUrl = vi.fn((path: string, options: { private: boolean; ttlSeconds: number }) =>
  options.private ? `/files/${path.replace(/^\//, '')}?ttl=${options.ttlSeconds}` : `/files/${path.replace(/^\//, '')}`,
)
const dashboard = vi.fn((args: { dashboardId: string }) => `<iframe src="/d/${args.dashboardId}"></iframe>`)
const context = {
  time: new Date(0),
  experience: { user: { id: 'u1', firstName: '<Ann>' }, version: 'develop' },
  pageData: { devices: [{ name: 'A' }, { name: 'B' }], script: `</script><b a='1'>&\u2028`, none: undefined },
  request: { path: '/' },
}

type Bodies = Record<string, string>

// Views by name: "layout" is a layout, "page" a page in it, all others are components.
function views(bodies: Bodies, page: Partial<View> = {}): View[] {
  return Object.entries(bodies).map(([name, body]) => {
    const viewType = name === 'page' || name === 'layout' ? name : 'component'
    const layoutId = name === 'page' && 'layout' in bodies ? 'layout' : null
    return { id: name, name, viewType, body, layoutId, ...(name === 'page' ? page : {}) }
  })
}

function render(bodies: Bodies, page: Partial<View> = {}) {
  return openViews(views(bodies, page), { fileUrl, dashboard }).render({ pageId: 'page', context })
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('a page', () => {
  test.each<[string, Bodies, string]>([
    ['alone', { page: 'Hi {{experience.user.firstName}}' }, 'Hi &lt;Ann&gt;'],
    [
      'in its layout, raw',
      { page: '<p>{{request.path}}</p>', layout: '<body>{{page}}</body>' },
      '<body><p>/</p></body>',
    ],
    ['without the lone rule', { page: '{{experience.user.firstName}}' }, '&lt;Ann&gt;'],
    ['with page as a name of nothing', { page: '[{{page}}]' }, '[]'],
    [
      'with sections that it fills',
      {
        page: '{{#fillSection "title"}}<b>{{request.path}}</b>{{/fillSection}}body',
        layout: '<title>{{section "title"}}</title>{{page}}',
      },
      '<title><b>/</b></title>body',
    ],
    [
      'with the default of a section, in the context of the layout',
      { page: 'p', layout: '{{#section "x"}}default {{request.path}}{{/section}}{{section "y"}}{{page}}' },
      'default /p',
    ],
    [
      'with the last of several fills',
      {
        page: '{{#fillSection "x"}}1{{/fillSection}}{{#fillSection "x"}}2{{/fillSection}}',
        layout: '{{page}}{{section "x"}}',
      },
      '2',
    ],
    [
      'with a section that a component fills, in the context of the component',
      {
        page: '{{#each pageData.devices}}{{component "row"}}{{/each}}',
        row: '{{#fillSection "last"}}{{name}}{{/fillSection}}',
        layout: '{{page}}{{section "last"}}',
      },
      'B',
    ],
    [
      'but not with one that a component of the layout fills',
      {
        page: 'p',
        late: '{{#fillSection "x"}}late{{/fillSection}}',
        layout: '{{component "late"}}{{page}}{{#section "x"}}default{{/section}}',
      },
      'pdefault',
    ],
    [
      'and its own metadata',
      { page: '{{experience.page.name}}{{experience.layout.name}}', layout: '{{page}}!' },
      'pagelayout!',
    ],
    [
      'with sections in attributes, filled or not',
      {
        page: '{{#fillSection "class"}}dark{{/fillSection}}p',
        layout: '<body class="{{section "class"}}" id="{{#section "id"}}main{{/section}}">{{page}}</body>',
      },
      '<body class="dark" id="main">p</body>',
    ],
    ['with \\{{literal}} mustaches', { page: '\\{{x}}' }, '{{x}}'],
  ])('%s', (_, bodies, html) => {
    expect(render(bodies).html).toBe(html)
  })

  test('has tags and a description, which its layout reads too', () => {
    const bodies = {
      page: '{{experience.page.viewTags.title}}',
      layout: '<title>{{experience.page.viewTags.title}}</title>{{experience.page.description}}{{page}}',
    }
    const said = { description: 'About us', viewTags: { title: 'A & B' } }
    expect(render(bodies, said).html).toBe('<title>A &amp; B</title>About usA &amp; B')
    expect(render(bodies).html).toBe('<title></title>')
  })

  test('takes the layout of the request before its own', () => {
    const set = openViews(
      [
        ...views({ page: 'p', layout: '1{{page}}' }),
        { id: 'other', name: 'Other', viewType: 'layout', body: '2{{page}}' },
      ],
      { fileUrl, dashboard },
    )
    expect(set.render({ pageId: 'page', layoutId: 'other', context }).html).toBe('2p')
    expect(set.render({ pageId: 'page', layoutId: '', context }).html).toBe('1p')
    expect(set.render({ pageId: 'page', context }).html).toBe('1p')
  })

  test.each([
    [undefined, 'text/html'],
    [{}, 'text/html'],
    [{ 'Content-Type': 'text/css' }, 'text/css'],
    [{ 'x-other': 'y' }, 'text/html'],
  ])('with headers %j is %s', (headers, contentType) => {
    expect(render({ page: 'p' }, { headers }).contentType).toBe(contentType)
  })

  test('leaves the context of the request alone', () => {
    const before = structuredClone(context)
    render({ page: '{{component "c" a=1}}', c: '{{@args.a}}', layout: '{{page}}' })
    expect(context).toEqual(before)
  })
})

describe('a component', () => {
  test.each<[string, Bodies, string]>([
    ['is raw', { page: '{{component "c"}}', c: '<b>{{request.path}}</b>' }, '<b>/</b>'],
    ['keeps this', { page: '{{#each pageData.devices}}{{component "c"}}{{/each}}', c: '{{name}};' }, 'A;B;'],
    ['has its own this', { page: '{{component "c" pageData.devices.[1]}}', c: '{{name}}{{../request.path}}' }, 'B'],
    ['has text as its this', { page: '{{component "c" "Bad <pin>"}}', c: '{{this}}' }, 'Bad &lt;pin&gt;'],
    [
      'has a list as its this',
      { page: '{{component "c" pageData.devices}}', c: '{{#each this}}{{name}}{{/each}}' },
      'AB',
    ],
    ['has an empty this when told so', { page: '{{component "c" pageData.none}}', c: '[{{pageData.devices}}]' }, '[]'],
    ['keeps the root', { page: '{{component "c" "x"}}', c: '{{@root.request.path}}' }, '/'],
    [
      'has named arguments',
      { page: '{{component "c" "x" a=1 b-2="y"}}', c: '{{@args.a}}{{@args.b-2}}{{this}}' },
      '1yx',
    ],
    [
      'has arguments without any',
      { page: '{{component "c"}}', c: '{{#with @args as |args|}}ok{{args.a}}{{/with}}' },
      'ok',
    ],
    [
      'keeps its arguments from the next one',
      { page: '{{component "c" a=1}}', c: '{{component "d"}}{{@args.a}}', d: '[{{@args.a}}]' },
      '[]1',
    ],
    [
      'reads its arguments in blocks and inline partials',
      {
        page: '{{component "c" a=1}}',
        c: '{{#*inline "p"}}{{@args.a}}{{/inline}}{{#each 2}}{{> p}}{{@args.a}}{{/each}}',
      },
      '1111',
    ],
    [
      'may be named by the data',
      { page: '{{component this.request.kind}}{{component request.path}}', '/': 'slash' },
      'slash',
    ],
    ['that does not exist is empty', { page: '[{{component "nosuch"}}{{component missing}}]' }, '[]'],
    ['is no page', { page: '[{{component "layout"}}]', layout: '{{page}}' }, '[]'],
    ['is no inherited name', { page: '[{{component "constructor"}}{{component "__proto__"}}]' }, '[]'],
    ['can be part of a value', { page: '{{#eq (component "c") "x"}}yes{{/eq}}', c: 'x' }, 'yes'],
    [
      'cannot use the inline partials of the page only',
      { page: '{{#*inline "p"}}x{{/inline}}{{> p}}{{component "c"}}', c: 'c' },
      'xc',
    ],
    [
      'renders a template with a context',
      {
        page: '{{component "c" t="<i>{{name}}</i>"}}',
        c: '{{#each @root.pageData.devices}}{{{template @args.t this}}}{{/each}}',
      },
      '<i>A</i><i>B</i>',
    ],
    ['may be in a template', { page: '{{{template "{{component \'c\'}}"}}}', c: '<b>' }, '<b>'],
    ['of a template of text is escaped', { page: '{{template "{{component \'c\'}}"}}', c: '<b>' }, '&lt;b&gt;'],
  ])('%s', (_, bodies, html) => {
    expect(render(bodies).html).toBe(html)
  })

  test('is named once among those that took part', () => {
    const { components } = render({
      page: '{{component "b"}}{{component "a"}}{{component "b"}}{{component "none"}}',
      layout: '{{page}}{{component "c"}}',
      a: '',
      b: '{{component "a"}}',
      c: '',
      unused: '',
    })
    expect(components).toEqual(['b', 'a', 'c'])
  })

  test('may be 20 deep, in partials that are deep themselves', () => {
    const deep = (limit: number) =>
      `{{#lt @args.n ${limit}}}{{component "c" n=(add @args.n 1)}}{{else}}{{@args.n}}{{/lt}}`
    expect(render({ page: '{{component "c" n=1}}', c: deep(20) }).html).toBe('20')
    expect(() => render({ page: '{{component "c" n=1}}', c: deep(21) })).toThrow(code('template.limit'))
    const tree = '{{#*inline "t"}}{{#lt n 60}}{{> t n=(add n 1)}}{{else}}{{component "c"}}{{/lt}}{{/inline}}{{> t n=0}}'
    expect(render({ page: tree, c: 'c' }).html).toBe('c')
  })
})

test.each([
  [`{{file '/images/a.png'}}`, '/files/images/a.png'],
  [`{{file 'images/'}}x.png`, '/files/images/x.png'],
  [`{{file 'a.png' private=true}}`, '/files/a.png?ttl&#x3D;900'],
  [`{{file 'a.png' private='true' ttl='60'}}`, '/files/a.png?ttl&#x3D;60'],
  [`{{file 'a.png' private=true ttl=-5}}`, '/files/a.png?ttl&#x3D;900'],
  [`{{file 'a.png' private=false}}`, '/files/a.png'],
  [`{{file ''}}{{file missing}}`, ''],
  [`{{file 'https://x.test/a.png'}}`, 'https://x.test/a.png'],
  [`{{file '//x.test/a.png'}}`, '//x.test/a.png'],
  [`{{encodeURIComponent (file 'a.png')}}`, '%2Ffiles%2Fa.png'],
  [`{{element 'dashboard' dashboardId='d1'}}`, '<iframe src="/d/d1"></iframe>'],
  [`{{element 'other' dashboardId='d1'}}`, ''],
  // JSON for a script element and for a quoted attribute.
  [`{{jsonEncode pageData.script}}`, '"\\u003c/script\\u003e\\u003cb a=\\u00271\\u0027\\u003e\\u0026\\u2028"'],
  [`{{{jsonEncode pageData.devices}}}`, '[{"name":"A"},{"name":"B"}]'],
])('%s prints %s', (body, html) => {
  expect(render({ page: body }).html).toBe(html)
})

test('the JSON that a page prints has the same value', () => {
  expect(JSON.parse(render({ page: '{{jsonEncode pageData}}' }).html)).toEqual(
    JSON.parse(JSON.stringify(context.pageData)),
  )
})

test.each([
  ['', { dashboardId: 'd', ctx: undefined, theme: '', time: '', hideHeader: false }],
  [
    'ctx=(obj deviceId-0="x" tag=(obj key="a" value="b")) theme="dark" time=5 hideHeader=true',
    {
      dashboardId: 'd',
      ctx: { 'deviceId-0': 'x', tag: { key: 'a', value: 'b' } },
      theme: 'dark',
      time: '5',
      hideHeader: true,
    },
  ],
  [`hideHeader=(template 'true')`, { hideHeader: true }],
  [`hideHeader=(template 'false')`, { hideHeader: false }],
  ['time=time', { time: '0' }],
])('a dashboard gets %s', (named, args) => {
  dashboard.mockClear()
  render({ page: `{{element 'dashboard' dashboardId='d' ${named}}}` })
  expect(dashboard).toHaveBeenCalledWith(expect.objectContaining(args))
})

describe('fails', () => {
  test.each<[string, Bodies, Partial<View>, string, string]>([
    ['for a page that does not exist', {}, {}, 'view.missing', 'page with the id "page"'],
    [
      'for a layout that does not exist',
      { page: 'p' },
      { layoutId: 'gone' },
      'view.missing',
      'layout with the id "gone"',
    ],
    ['for a page as a layout', { page: 'p' }, { layoutId: 'page' }, 'view.missing', 'layout with the id "page"'],
    ['naming the component', { page: '{{component "c"}}', c: '{{#if}}' }, {}, 'template.syntax', 'In component "c"'],
    ['naming the page', { page: '{{nosuch 1}}' }, {}, 'template.syntax', 'In page "page"'],
    [
      'for a component that calls itself',
      { page: '{{component "c"}}', c: '{{component "c"}}' },
      {},
      'template.limit',
      'nested more than 20',
    ],
    [
      'for components that call others many times',
      { page: '{{component "c" n=0}}', c: '{{#each 10}}{{component "c"}}{{/each}}' },
      {},
      'template.limit',
      '',
    ],
    [
      'for a page that a layout repeats',
      { page: '{{#each 100000}}0123456789{{/each}}', layout: '{{#each 10}}{{page}}{{/each}}' },
      {},
      'template.limit',
      'characters',
    ],
  ])('%s', (_, bodies, page, expected, words) => {
    const start = performance.now()
    expect(() => render(bodies, page)).toThrow(code(expected))
    expect(() => render(bodies, page)).toThrow(words)
    expect(performance.now() - start).toBeLessThan(6000)
  })

  test('only where a view is reached: another page still renders', () => {
    const set = openViews([...views({ page: 'p', bad: '{{#if}}' })], { fileUrl, dashboard })
    expect(set.render({ pageId: 'page', context }).html).toBe('p')
  })

  test('with one budget for page, components and layout', () => {
    const bodies = { page: '{{#each 40}}x{{/each}}', layout: '{{page}}{{component "c"}}', c: '{{#each 40}}x{{/each}}' }
    const open = (steps: number) => openViews(views(bodies), { fileUrl, dashboard, limits: { steps } })
    expect(open(250).render({ pageId: 'page', context }).html).toHaveLength(80)
    expect(() => open(120).render({ pageId: 'page', context })).toThrow(code('template.limit'))
  })
})

test.each<[string, View['viewType'], string | undefined]>([
  ['', 'page', undefined],
  ['{{page}}', 'layout', undefined],
  ['{{#if a}}x{{else}}{{{page}}}{{/if}}', 'layout', undefined],
  ['', 'layout', 'view.layout'],
  ['{{page}}{{page}}', 'layout', 'view.layout'],
  ['{{#if a}}{{page}}{{else}}{{page}}{{/if}}', 'layout', 'view.layout'],
  ['{{this.page}}', 'layout', 'view.layout'],
  ['no page', 'component', undefined],
  ['{{#if a}}', 'page', 'template.syntax'],
  ['{{nosuch 1}}', 'component', 'template.syntax'],
  ['{{file "a"}}{{element "dashboard"}}{{component "x"}}{{section "y"}}', 'component', undefined],
  [`{{a}}${'x'.repeat(131_072)}`, 'page', 'template.syntax'],
])('checks %j as a %s: %s', (body, viewType, expected) => {
  expect(checkView(body, viewType)?.code).toBe(expected)
})

test('a page of more components than anyone reads is told of, before they are compiled', () => {
  const names = Array.from({ length: 100 }, (_, n) => `c${n}`)
  const components = Object.fromEntries(names.map((name) => [name, '{{#if a}}{{/if}}'.repeat(8_000)]))
  const page = names.map((name) => `{{component "${name}"}}`).join('')
  expect(() => render({ page, ...components })).toThrow(code('template.limit'))
  expect(() => render({ page, ...components })).toThrow(/In component "c1"/)
})
