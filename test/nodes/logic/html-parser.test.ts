import { describe, expect, test } from 'vitest'
import { htmlParser } from '../../../nodes/logic/html-parser.ts'
import { runNode } from '../../helpers/run-node.ts'

const run = (document: unknown, selectorTemplate = '', format = '') =>
  runNode(htmlParser, {
    config: { documentPath: 'd', selectorTemplate, resultFormatTemplate: format, resultPath: 'r' },
    payload: { d: document, id: 'b' },
  })
const found = async (document: unknown, selector?: string, format?: string) => {
  const { output, error, problems, payload } = await run(document, selector, format)
  expect({ output, error, problems }).toEqual({ output: 'next', error: undefined, problems: [] })
  return payload.r
}

const page = `<!DOCTYPE html>
<html><head><title>T</title><style>p { color: red }</style><script>let a = "<p>"</script></head>
<body><p id=a CLASS="x y">One<br>two<p id="b">&lt;three&gt;<!-- not this --><img src="/i.png"></body></html>`

describe('HTML', () => {
  test.each<[string, string, unknown]>([
    ['p', 'text', ['Onetwo', '<three>']],
    ['p.y', 'xml', ['<p id="a" class="x y">One<br>two</p>']],
    ['P#b', 'xml', ['<p id="b">&lt;three&gt;<!-- not this --><img src="/i.png"></p>']],
    [
      '#{{id}} img',
      'json',
      [{ children: [{ type: 'element', name: 'img', attributes: { src: '/i.png' }, children: [] }] }],
    ],
    ['script', 'text', ['']],
    ['p:contains(thr)', 'text', ['<three>']],
    ['p:contains("not this")', 'text', []],
    ['#none', 'text', []],
    ['p[', 'text', []],
    ['p:nonsense(', 'json', []],
    [':unknown-thing', 'json', []],
  ])('%s as %s is %j', async (selector, format, expected) => {
    expect(await found(page, selector, format)).toEqual(expected)
  })

  test('without a selector the whole document is one entry', async () => {
    const [text] = (await found(page)) as string[]
    expect(text!.replace(/\s+/g, ' ').trim()).toBe('T Onetwo<three>')
    expect(await found('<b>x</b> y', '', 'xml')).toEqual(['<b>x</b> y'])
    expect(await found('<b>x</b>\n <!--c-->', '', 'json')).toEqual([
      {
        children: [
          { type: 'element', name: 'b', attributes: {}, children: [{ type: 'text', value: 'x' }] },
          { type: 'comment', value: 'c' },
        ],
      },
    ])
  })
})

const feed = `<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY lol "lol"><!ENTITY x SYSTEM "file:///etc/passwd">]>
<feed xmlns="http://www.w3.org/2005/Atom"><link>https://example.com</link>
<gpx:wayPoint LAT="1"/><entry><Title><![CDATA[a < b]]></Title></entry><e>&lol;&x;&amp;</e></feed>`

describe('XML', () => {
  test.each<[string, string, unknown]>([
    ['link', 'text', ['https://example.com']],
    ['feed[xmlns="http://www.w3.org/2005/Atom"] > entry > Title', 'text', ['a < b']],
    ['title', 'text', []],
    ['entry', 'xml', ['<entry><Title><![CDATA[a < b]]></Title></entry>']],
    [
      'Title',
      'json',
      [
        {
          children: [{ type: 'element', name: 'Title', attributes: {}, children: [{ type: 'cdata', value: 'a < b' }] }],
        },
      ],
    ],
    [
      'gpx\\:wayPoint',
      'json',
      [{ children: [{ type: 'element', name: 'gpx:wayPoint', attributes: { LAT: '1' }, children: [] }] }],
    ],
    // No entity of the document itself is ever looked at.
    ['e', 'text', ['&lol;&x;&']],
  ])('%s as %s is %j', async (selector, format, expected) => {
    expect(await found(feed, selector, format)).toEqual(expected)
  })

  test('is also what begins with an element that HTML does not have', async () => {
    expect(await found('<!-- c --> <rss><Link>x</Link></rss>', 'Link')).toEqual(['x'])
    expect(await found('<div><LINK>x</LINK></div>', 'link')).toEqual([''])
    expect(await found('<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html><P>a</P></html>', 'p')).toEqual(['a'])
  })
})

test.each([undefined, null, 5, { a: 1 }, ''])('nothing is found in %j', async (document) => {
  expect(await found(document, 'p')).toEqual([])
})

test('no name of an attribute or element reaches a prototype', async () => {
  const [entry] = (await found('<p __proto__="x" constructor="y">a</p>', 'p', 'json')) as { children: object[] }[]
  expect(JSON.stringify(entry)).toContain('"constructor":"y"')
  expect(Object.getPrototypeOf((entry!.children[0] as { attributes: object }).attributes)).toBe(Object.prototype)
  expect(({} as { x?: unknown }).x).toBeUndefined()
})

describe('bounds', () => {
  const many = '<i></i>'.repeat(100_000)
  test.each<[string, string, string, string, string]>([
    ['a document nested deep', '<a>'.repeat(1_000_000), 'a', 'text', 'markup.limit'],
    ['a document nested deep as XML', '<x:a>'.repeat(1_000_000), '', 'json', 'markup.limit'],
    ['siblings of siblings', many, 'b ~ i', 'text', 'markup.limit'],
    [
      'an element of many attributes',
      `<a ${Array.from({ length: 800_000 }, (_, n) => n.toString(36)).join(' ')}>`,
      'a',
      'json',
      'markup.limit',
    ],
    ['a long selector', '<p>', 'p,'.repeat(600), 'text', 'markup.limit'],
    [
      'text in each',
      `<div>${`<p>${'x'.repeat(1000)}`.repeat(100)}</div>`.repeat(30),
      ':icontains(y)',
      'text',
      'markup.limit',
    ],
    [
      'elements without text in each',
      `${'<ul><li>'.repeat(90)}${'<li>'.repeat(500_000)}`,
      ':contains(y)',
      'text',
      'markup.limit',
    ],
    ['elements in elements', `${'<div>'.repeat(190)}${'x'.repeat(50_000)}`, 'div', 'text', 'text.too-long'],
    ['trees in trees', `${'<div>'.repeat(190)}${'<i></i>'.repeat(5_000)}`, 'div', 'json', 'markup.limit'],
    ['a large document', 'x'.repeat((5 << 20) + 1), '', 'text', 'text.too-long'],
  ])('%s: an error within a second', async (_, document, selector, format, code) => {
    const started = performance.now()
    expect((await run(document, selector, format)).error).toMatchObject({ code })
    expect(performance.now() - started).toBeLessThan(3_000)
  })

  test('a large document of an ordinary shape is no trouble', async () => {
    const rows = '<tr><td class="a">1</td><td>2</td></tr>'.repeat(20_000)
    expect(await found(`<table>${rows}</table>`, 'table > tr > td.a:first-child')).toHaveLength(20_000)
  })
})

test('refuses a format that does not exist', async () => {
  expect((await run('<p>', 'p', 'yaml')).error).toMatchObject({ code: 'config.type' })
})
