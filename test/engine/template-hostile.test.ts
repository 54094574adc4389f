import { describe, expect, test } from 'vitest'
import { openTemplates } from '../../engine/template.ts'

const templates = openTemplates()
const big = Array.from({ length: 1000 }, (_, i) => i)
const root = {
  big,
  one: 1,
  huge: 1e15,
  word: 'x'.repeat(1000),
  mega: 'x'.repeat(1_000_000),
  wide: Object.fromEntries(big.map((i) => [`k${i}`, i])),
  bait: `${'a'.repeat(60_000)}b`,
  long: Array.from({ length: 1_000_000 }, (_, i) => i),
  json: JSON.stringify(Array.from({ length: 300_000 }, (_, i) => i)),
  keys: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, i])),
  lure: 'a'.repeat(120_000),
  marks: '<'.repeat(4_900_000),
  quoted: { type: 'element', name: 'p', attributes: { title: '"'.repeat(1_000_000) } },
  named: { type: 'element', name: 'p'.repeat(1_000_000) },
}

const repeat = (text: string, count: number) => Array.from({ length: count }, () => text).join('')
const nest = (open: string, close: string, depth: number, inner: string) =>
  repeat(open, depth) + inner + repeat(close, depth)

// Fails within its limits, and gives the process back within about half a second; a call that is under way ends first.
function expectLimit(source: string, data: unknown = root) {
  const render = templates.text(source)
  const start = performance.now()
  expect(() => render(data)).toThrow(expect.objectContaining({ code: 'template.limit' }))
  expect(performance.now() - start).toBeLessThan(4000)
}

describe('stops', () => {
  test.each([
    ['loops in loops', nest('{{#each @root.big}}', '{{/each}}', 10, 'x')],
    ['loops in loops that print nothing', nest('{{#each @root.big}}', '{{/each}}', 10, '')],
    ['loops over numbers', nest('{{#each @root.big.length}}', '{{/each}}', 6, 'x')],
    ['a loop to a number without end', '{{#each huge}}{{/each}}'],
    ['loops over objects', nest('{{#each @root.wide}}', '{{/each}}', 5, '{{@key}}')],
    ['sections in sections', nest('{{#@root.big}}', '{{/@root.big}}', 5, 'x')],
    [
      'partials that call the next one many times',
      `${Array.from({ length: 30 }, (_, i) => `{{#*inline "p${i}"}}${repeat(`{{> p${i + 1}}}`, 10)}{{/inline}}`).join('')}{{#*inline "p30"}}x{{/inline}}{{> p0}}`,
    ],
    ['a partial that calls itself', '{{#*inline "p"}}{{> p}}{{/inline}}{{> p}}'],
    ['a partial that calls itself twice', '{{#*inline "p"}}{{> p}}{{> p}}{{/inline}}{{> p}}'],
    ['a partial block that calls itself', '{{#*inline "p"}}{{#> p}}{{> @partial-block}}{{/p}}{{/inline}}{{> p}}'],
    ['indented partials', `{{#*inline "p"}}\nx\n${repeat('   {{> p}}\n', 3)}{{/inline}}\n   {{> p}}\n`],
    ['long text in a loop', '{{#each big}}{{@root.mega}}{{/each}}'],
    ['long content in a loop', `{{#each big}}${'x'.repeat(100_000)}{{/each}}`],
    ['a long separator', '{{join big mega}}-'],
    [
      'text that doubles',
      nest('{{#with (concat this this)}}', '{{/with}}', 40, '{{length this}}').replace(
        'this this',
        '@root.word @root.word',
      ),
    ],
    ['lists that double', nest('{{#with (array this this)}}', '{{/with}}', 60, '{{this}}')],
    [
      'lists that double, empty inside',
      `{{#with (array "")}}${nest('{{#with (array this this)}}', '{{/with}}', 60, '{{this}}')}{{/with}}`,
    ],
    ['lists that double, as JSON', nest('{{#with (array this this)}}', '{{/with}}', 60, '{{jsonEncode this}}')],
    ['lists that double, compared', nest('{{#with (array this this)}}', '{{/with}}', 60, '{{lt this "x"}}')],
    ['lists that double, as a key', nest('{{#with (array this this)}}', '{{/with}}', 60, '{{lookup this this}}')],
    ['lists that double, as HTML', nest('{{#with (array this this)}}', '{{/with}}', 60, '{{toHtml this}}')],
    [
      'a template of a template of text',
      '{{#each big}}{{template "{{#each @root.big}}{{@root.word}}{{/each}}"}}{{/each}}',
    ],
    [
      'templates that are never the same',
      '{{#each big}}{{#each @root.big}}{{template (concat "{{this}}" @index @../index)}}{{/each}}{{/each}}',
    ],
    ['indents of JSON', `{{#each big}}{{jsonEncode @root.wide 10}}{{/each}}`],
    ['searching text in text', '{{#each big}}{{includes @root.lure @root.bait}}{{/each}}'],
    ['searching lists', '{{#each big}}{{#each @root.big}}{{valueByKey @root.big -1 "."}}{{/each}}{{/each}}'],
    ['merging objects', '{{#each big}}{{#each @root.big}}{{#with (merge @root.wide)}}{{/with}}{{/each}}{{/each}}'],
    ['matching patterns', '{{#each big}}{{match @root.mega "(.{0,30}b.{0,30}){15}$"}}{{/each}}'],
    ['encoding text', '{{#each big}}{{#with (encodeURIComponent @root.mega)}}{{/with}}{{/each}}'],
    ['long lists in arithmetic', '{{#each big}}{{#each @root.big}}{{lt @root.long 1}}{{/each}}{{/each}}'],
    ['long lists as text', '{{#each big}}{{substring @root.long 0 1}}{{/each}}'],
    ['reading JSON', '{{#each big}}{{#each @root.big}}{{length (jsonDecode @root.json)}}{{/each}}{{/each}}'],
    ['counting keys', '{{#each big}}{{#each @root.big}}{{length @root.keys}}{{/each}}{{/each}}'],
    [
      'lists in a query',
      '{{#each big}}{{#with (queryStringEncode (obj a=@root.long b=@root.long))}}{{/with}}{{/each}}',
    ],
    ['long texts as HTML', `{{length (toHtml (array ${'marks '.repeat(200)}))}}`],
    ['long attributes as HTML', `{{length (toHtml (array ${'quoted '.repeat(200)}))}}`],
    ['long names as HTML', `{{length (toHtml (array ${'named '.repeat(200)}))}}`],
    ['a long text that is escaped', '{{marks}}-'.repeat(4)],
    ['lists in text', `{{concat ${repeat('long ', 500)}}}-`],
    ['upper case', '{{#each big}}{{#with (upper @root.mega)}}{{/with}}{{/each}}'],
  ])('%s', (_, source) => expectLimit(source))
})

test('stops at the clock when single steps are slow', () => {
  const slow = openTemplates({ limits: { milliseconds: 50, steps: 1e12, textChars: 1e12, outputChars: 1e12 } })
  const render = slow.text(nest('{{#each @root.big}}', '{{/each}}', 4, '{{upper @root.word}}'))
  const start = performance.now()
  expect(() => render(root)).toThrow(/more than 50 ms/)
  expect(performance.now() - start).toBeLessThan(1000)
})

test('has the same limits for lone mustaches, bodies and JSON', () => {
  const source = `{{#each big}}{{@root.mega}}{{/each}}`
  for (const mode of ['value', 'body', 'plain'] as const)
    expect(() => templates[mode](source)(root)).toThrow(expect.objectContaining({ code: 'template.limit' }))
  for (const lone of ['{{join big mega}}', '{{repeat}}'.replace('repeat', 'jsonEncode deep')]) {
    let deep: unknown = 1
    for (let i = 0; i < 100; i++) deep = [deep, deep]
    expect(() => templates.value(lone)({ ...root, deep })).toThrow(expect.objectContaining({ code: 'template.limit' }))
  }
})

describe('refuses to compile, at once,', () => {
  test.each([
    ['calls in calls', `{{a ${repeat('(a ', 40_000)}${repeat(')', 40_000)}}}`.slice(0, 131_072)],
    ['calls in calls that end', `{{add ${repeat('(add ', 10_000)}1${repeat(')', 10_000)}}}`],
    ['calls in calls after text that hides them', `{{add "}}" ${repeat('(add "(((" ', 5000)}1${repeat(')', 5000)}}}`],
    ['blocks in blocks', nest('{{#if a}}', '{{/if}}', 7000, '')],
    ['blocks after else', `{{#if a}}${repeat('{{else if a}}', 8000)}{{/if}}`],
    ['sections in sections', nest('{{^a}}', '{{/a}}', 7000, '')],
    ['partial blocks in partial blocks', nest('{{#> a}}', '{{/a}}', 7000, '')],
    ['inline partials in inline partials', nest('{{#*inline "a"}}', '{{/inline}}', 4000, '')],
    ['braces', '{'.repeat(131_072)],
    ['open comments', '{{!--'.repeat(20_000)],
    ['open strings', `{{a "${'\\"'.repeat(60_000)}`],
    ['too much text', 'x'.repeat(131_073).concat('{{a}}')],
  ])('%s', (_, source) => {
    const start = performance.now()
    expect(() => templates.text(source)).toThrow(expect.objectContaining({ code: 'template.syntax' }))
    expect(performance.now() - start).toBeLessThan(1500)
  })
})

test.each([
  ['many mustaches', '{{one}}'.repeat(18_000), 18_000],
  ['many blocks', '{{#if one}}1{{/if}}'.repeat(6000), 6000],
  ['many arguments', `{{concat ${'one '.repeat(30_000)}}}`, 30_000],
  ['a long path', `{{one}}{{a${'.a'.repeat(60_000)}}}`, 1],
  ['long text', `${'x'.repeat(131_000)}{{one}}`, 131_001],
  ['escaped mustaches', '\\{{'.repeat(40_000), 80_000],
])('renders %s', (_, source, length) => {
  expect(templates.text(source)(root)).toHaveLength(length)
})

test('renders nesting that people write', () => {
  expect(templates.text(nest('{{#if one}}', '{{/if}}', 200, 'x'))(root)).toBe('x')
  expect(templates.value(`{{add ${repeat('(add 1 ', 200)}1${repeat(')', 200)} 0}}`)(root)).toBe(201)
  expect(templates.text(`{{#if a}}${repeat('{{else if a}}', 200)}{{else}}x{{/if}}`)(root)).toBe('x')
})

test('renders a large page within its limits', () => {
  const rows = Array.from({ length: 2000 }, (_, i) => ({ name: `device ${i}`, tags: { a: ['1'], b: ['2'] } }))
  const page = templates.text(
    '{{#each rows}}<tr><td>{{name}}</td>{{#each tags}}<td>{{@key}}={{this}}</td>{{/each}}<td>{{#eq @index 3}}x{{else}}{{add @index 1}}{{/eq}}</td></tr>{{/each}}',
  )
  expect(page({ rows })).toContain('device 1999')
})
