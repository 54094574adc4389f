import { describe, expect, test } from 'vitest'
import { openTemplates, printValue } from '../../engine/template.ts'

const templates = openTemplates()
const date = new Date('2024-02-03T04:05:06.007Z')
const root = {
  s: `<a href="x">it's</a>`,
  n: 5,
  zero: 0,
  no: false,
  nothing: null,
  list: [44, 'foo', { a: 1 }],
  one: ['only'],
  nested: [1, [2, [3, null]], undefined, date],
  object: { k: 'v', 'a b': 1, 'x-y': 2, 0: 'zeroth' },
  empty: {},
  none: [],
  date,
  items: [{ name: 'A' }, { name: 'B' }],
  '24hours': 'day',
  length: 'root length',
  data: { query: { page: '2' } },
}

test.each([
  [undefined, ''],
  [null, ''],
  [true, 'true'],
  [false, 'false'],
  [0, '0'],
  [Number.NaN, 'NaN'],
  [1e21, '1e+21'],
  [root.list, '44,foo,[object Object]'],
  [root.one, 'only'],
  [root.nested, '1,2,3,,,2024-02-03T04:05:06.007Z'],
  [root.object, '[object Object]'],
  [{ toString: 'x', toHTML: 1, valueOf: null }, '[object Object]'],
  [date, '2024-02-03T04:05:06.007Z'],
  [new Date(Number.NaN), 'Invalid date'],
  [() => 'code', ''],
])('prints %j as %j', (value, text) => {
  expect(printValue(value)).toBe(text)
})

describe('a lone mustache', () => {
  test.each([
    ['{{list}}', root.list],
    ['  {{ list }}\n', root.list],
    ['{{{s}}}', root.s],
    ['{{s}}', root.s],
    ['{{n}}', 5],
    ['{{no}}', false],
    ['{{nothing}}', null],
    ['{{missing}}', undefined],
    ['{{missing.a.b}}', undefined],
    ['{{nothing.a}}', undefined],
    ['{{n.a}}', undefined],
    ['{{object.[a b]}}', 1],
    ['{{object.x-y}}', 2],
    ['{{object.[0]}}', 'zeroth'],
    ['{{items.0.name}}', 'A'],
    ['{{items.[1].name}}', 'B'],
    ['{{items.[2].name}}', undefined],
    ['{{24hours}}', 'day'],
    ['{{@root.n}}', 5],
    ['{{this.n}}', 5],
    ['{{date}}', date],
    ['{{add n 1}}', 6],
    ['{{jsonEncode object.k}}', '"v"'],
    ['{{lookup object "k"}}', 'v'],
    ['{{template "{{n}} }}"}}', '5 }}'],
    ['{{~n~}}', 5],
    ['{{{ n }}}', 5],
    ['{{&s}}', root.s],
    ['\n {{{list}}} \n', root.list],
    ['{{{add n 1}}}', 6],
    ['{{add (length list) (multiply n "2")}}', 13],
    ['{{defaultTo missing zero}}', 0],
    ['{{@root}}', root],
    ['{{.}}', root],
    ['{{items.[0]}}', root.items[0]],
    ['{{list.[1]}}', 'foo'],
    ['{{list.length}}', 3],
    ['{{s.length}}', root.s.length],
    ['{{list.[-1]}}', undefined],
    ['{{[24hours]}}', 'day'],
    ['{{"24hours"}}', 'day'],
    // The helper wins for a bare name, the payload for this.name.
    ['{{length}}', undefined],
    ['{{this.length}}', 'root length'],
  ])('gives the raw value of %s', (source, value) => {
    expect(templates.value(source)(root)).toBe(value)
  })

  test('gives the payload itself for {{this}}', () => {
    expect(templates.value('{{this}}')(root)).toBe(root)
  })

  test.each([
    ['text', '{{s}}', root.s],
    ['text', '{{missing}}', ''],
    ['text', '{{list}}', '44,foo,[object Object]'],
    ['text', '{{n}}', '5'],
    ['body', '{{list}}', '[44,"foo",{"a":1}]'],
    ['body', '{{object}}', '{"0":"zeroth","k":"v","a b":1,"x-y":2}'],
    ['body', '{{date}}', date.toISOString()],
    ['body', '{{s}}', root.s],
    ['body', 'x {{list}}', 'x 44,foo,[object Object]'],
    ['body', '{{missing}}', ''],
    ['plain', '{{s}}!', `${root.s}!`],
  ] as const)('prints as %s: %s', (mode, source, text) => {
    expect(templates[mode](source)(root)).toBe(text)
  })
})

test.each([
  ['plain text', 'plain text'],
  ['', ''],
  ['{ not a mustache }', '{ not a mustache }'],
  ['{{s}} ', root.s],
  ['-{{s}}', '-&lt;a href&#x3D;&quot;x&quot;&gt;it&#x27;s&lt;/a&gt;'],
  ['-{{{s}}}', `-${root.s}`],
  ['-{{&s}}', `-${root.s}`],
  ['{{s}}{{n}}', '&lt;a href&#x3D;&quot;x&quot;&gt;it&#x27;s&lt;/a&gt;5'],
  ['{{#if n}}{{n}}{{/if}}', '5'],
  ['{{missing}}?error=1', '?error=1'],
  ['{{n}} {{zero}} {{no}} {{nothing}}{{missing}}', '5 0 false '],
  ['{{list}}!', '44,foo,[object Object]!'],
  ['{{one}}!', 'only!'],
  ['{{object}}!', '[object Object]!'],
  ['{{date}}!', '2024-02-03T04:05:06.007Z!'],
  // Only what is one mustache and nothing else is raw; a comment beside it is something else.
  ['{{! note }}{{s}}', '&lt;a href&#x3D;&quot;x&quot;&gt;it&#x27;s&lt;/a&gt;'],
  ['{{s}}{{missing}}', '&lt;a href&#x3D;&quot;x&quot;&gt;it&#x27;s&lt;/a&gt;'],
  ['{{#if true}}{{s}}{{/if}}', '&lt;a href&#x3D;&quot;x&quot;&gt;it&#x27;s&lt;/a&gt;'],
  ['{{#if true}}{{{s}}}{{/if}}', root.s],
  ['{{concat "<" n}}{{{concat "<" n}}}', '&lt;5<5'],
  ['{{#each missing}}x{{/each}}', ''],
  ['{{#with object}}{{k}}{{@root.n}}{{/with}}', 'v5'],
  ['{{#each object as |value key|}}{{key}}={{value}};{{/each}}', '0=zeroth;k=v;a b=1;x-y=2;'],
  ['{{#unless no}}a{{else if n}}b{{/unless}}{{#unless n}}a{{else if n}}b{{/unless}}', 'ab'],
  ['{{#eq n 5}}{{#ne n 5}}x{{else}}y{{/ne}}{{/eq}}', 'y'],
  ['{{#if (eq (lower "A") "a")}}{{add 1 (add 1 1)}}{{/if}}', '3'],
  ['a{{! no }}b{{!-- {{no}} --}}c', 'abc'],
  ['\\{{n}} {{n}}', '{{n}} 5'],
  ['-{{jsonEncode object.k}}', '-"v"'],
  ['-{{encodeBase64 "a"}}', '-YQ&#x3D;&#x3D;'],
  ['{{#each none}}x{{else}}none{{/each}}', 'none'],
  ['{{#with empty}}rendered{{else}}else{{/with}}', 'rendered'],
  ['{{#with missing}}rendered{{else}}else{{/with}}', 'else'],
  ['{{#with none}}rendered{{else}}else{{/with}}', 'else'],
  ['{{#with object as |o|}}{{o.k}} {{../n}}{{/with}}', 'v 5'],
  ['{{#each items as |item i|}}{{#if true}}{{i}}{{item.name}}{{../name}};{{/if}}{{/each}}', '0A;1B;'],
  ['{{#items}}{{name}}{{/items}}{{#none}}x{{/none}}{{^none}}empty{{/none}}', 'ABempty'],
  ['{{#if no}}a{{else if zero}}b{{else eq n 5}}c{{else}}d{{/if}}', 'c'],
  ['{{#eq data.query.page 2}}number{{else}}text{{/eq}}', 'text'],
  ['{{jsonEncode (obj deviceId-0=n a=(obj b=(array 1 "2")))}}!', '{"deviceId-0":5,"a":{"b":[1,"2"]}}!'],
  ['{{#*inline "row"}}[{{name}}{{n}}]{{/inline}}{{#each items}}{{> row n=1}}{{/each}}', '[A1][B1]'],
  ['{{#each (array 1 2)}}{{#each (array 3 4)}}{{@../index}}{{@index}} {{/each}}{{/each}}', '00 01 10 11 '],
  ['a\n{{#if n}}\n  b\n{{/if}}\nc', 'a\n  b\nc'],
])('renders %j as %j', (source, text) => {
  expect(templates.text(source)(root)).toBe(text)
  expect(templates.value(`${source}`)(root)).toSatisfy((value) => printValue(value) === text)
})

test.each([
  '{{a.0}}',
  '{{#if a}}',
  '{{#if a}}{{/each}}',
  '{{',
  '{{a',
  '{{unknown a}}',
  '{{#unknown a}}{{/unknown}}',
  '{{a (unknown)}}',
  '{{a.b c}}',
  '{{#if}}{{/if}}',
  '{{if a}}',
  '{{each}}',
  '{{#add 1 2}}{{/add}}',
  '{{> nowhere}}',
  '{{#*inline name}}{{/inline}}',
  '{{#*other "x"}}{{/other}}',
  '{{* other}}',
  '{{> a b c}}',
  '{{math 1}}',
  '{{#and a b}}{{/and}}',
  '{{#or a b}}{{/or}}',
  '{{not a}}',
  '{{inTimeZone a "UTC"}}',
  '{{scriptJson a}}',
  '{{toSafeHTML a}}',
  '{{a b=1}}',
  '{{#a b}}{{/a}}',
  '{{{a}}',
  '{{a}}}',
  '{{#each a as |x|}}{{/if}}',
  '{{#if a}}{{else}}{{else}}{{/if}}',
  '{{#with}}{{/with}}',
  '{{(add 1 2) 3}}',
])('refuses %s when it is compiled', (source) => {
  for (const mode of ['text', 'value', 'json', 'body'] as const)
    expect(() => templates[mode](source)).toThrow(expect.objectContaining({ code: 'template.syntax' }))
})

test('says where a helper is unknown, and which one may be meant', () => {
  expect(() => templates.text('a\n {{jsonencode x}}')).toThrow(
    'There is no helper "jsonencode"; did you mean "jsonEncode"? (line 2, column 2)',
  )
})

test('says what to do about a mustache before a closing brace', () => {
  expect(() => templates.json('{"a": {{n}}}')).toThrow('Put a blank between "}}" and "}"')
})

test('refuses a template that is no text, also one that is shaped as a parsed template', () => {
  const tree = { type: 'Program', body: [{ type: 'ContentStatement', value: 'x' }] }
  for (const mode of ['text', 'value', 'json', 'body', 'plain', 'operand'] as const)
    expect(() => templates[mode](tree as unknown as string)).toThrow(
      expect.objectContaining({ code: 'template.syntax' }),
    )
})

describe('a JSON template', () => {
  test.each([
    ['5', 5],
    [' {"a": [1, {{n}}]} ', { a: [1, 5] }],
    ['null', null],
    ['"x"', 'x'],
    ['{{list}}', root.list],
    ['{{n}}', 5],
    ['{{no}}', false],
    ['{{nothing}}', null],
    ['{{{defaultTo missing "[]"}}}', []],
    ['{{date}}', date],
    ['{{jsonEncode date}}', date.toISOString()],
    ['{{obj a=n}}', { a: 5 }],
    ['[{{#each items}}{{jsonEncode name}}{{#unless @last}},{{/unless}}{{/each}}]', ['A', 'B']],
    ['{ "at": {{zero}}, "on": {{no}}, "none": {{jsonEncode nothing}} }', { at: 0, on: false, none: null }],
    ['\n  {{{ list }}}\n', root.list],
    ['{"s": {{jsonEncode s}} }', { s: root.s }],
    ['{"s": "{{n}}"{{#if no}}, "x": 1{{/if}} }', { s: '5' }],
    [`{"t": {{formatDate date 'x'}} }`, { t: date.getTime() }],
  ])('%s', (source, value) => {
    expect(templates.json(source)(root)).toEqual(value)
  })

  test.each([
    '',
    'abc',
    '{{missing}}',
    '{"a": {{missing}} }',
    '{"a": 1,}',
    '// x\n1',
    '{{s}}',
    '{"s": "{{{s}}}"}',
    'NaN',
    "{'a': 1}",
  ])('fails for %j', (source) => {
    expect(() => templates.json(source)(root)).toThrow(expect.objectContaining({ code: 'template.not-json' }))
  })

  test('makes a new value each time, so that one run cannot change the next', () => {
    const render = templates.json('{"a": []}')
    ;(render(root) as { a: number[] }).a.push(1)
    expect(render(root)).toEqual({ a: [] })
  })
})

test.each([
  ['{{constructor}}', undefined],
  ['{{__proto__}}', undefined],
  ['{{object.constructor.name}}', undefined],
  ['{{object.__proto__}}', undefined],
  ['{{s.constructor}}', undefined],
  ['{{list.constructor}}', undefined],
  ['{{list.map}}', undefined],
  ['{{date.getTime}}', undefined],
  ['{{lookup this "constructor"}}', undefined],
  ['{{lookup object "__proto__"}}', undefined],
  ['{{lookup (lookup this "constructor") "prototype"}}', undefined],
  ['{{@root.constructor}}', undefined],
  ['{{@constructor}}', undefined],
  ['{{@__proto__}}', undefined],
  ['{{@host}}', undefined],
  ['{{@parent}}', undefined],
  ['{{toString}}', undefined],
  ['{{hasOwnProperty}}', undefined],
])('%s reaches nothing inherited', (source, value) => {
  expect(templates.value(source)(root)).toBe(value)
  expect(templates.text(`[${source}]`)(root)).toBe('[]')
})

test.each(['{{constructor "x"}}', '{{#__proto__ 1}}{{/__proto__}}', '{{hasOwnProperty "a"}}', '{{(toString)}}'])(
  '%s calls nothing inherited',
  (source) => {
    expect(() => templates.text(source)).toThrow(expect.objectContaining({ code: 'template.syntax' }))
  },
)

test('leaves the prototype of objects alone whatever the keys are called', () => {
  const value = templates.json(`{{jsonEncode (merge (obj __proto__=(obj polluted=1)) (obj a=1))}}`)(root)
  expect(value).toEqual({ a: 1 })
  const made = templates.value('{{obj __proto__=(obj polluted=1) constructor=2}}')(root) as object
  expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
  expect((made as { polluted?: number }).polluted).toBeUndefined()
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

test('survives data whose own keys are names of methods', () => {
  const odd = { a: JSON.parse('{"toString":1,"valueOf":"x","toHTML":true,"toJSON":5,"length":-1,"__proto__":{"x":1}}') }
  expect(templates.text('{{a}} {{#eq a 1}}{{else}}no{{/eq}}{{add a 1}} {{length a}}')(odd)).toBe(
    '[object Object] noNaN 6',
  )
  expect(templates.text('{{#each a}}{{@key}},{{/each}}')(odd)).toBe('toString,valueOf,toHTML,toJSON,length,__proto__,')
})

test('shares nothing between renders', () => {
  const render = templates.text('{{#each items}}{{@index}}{{/each}}{{@index}}')
  expect([render(root), render(root), render({ items: [1] })]).toEqual(['01', '01', '0'])
})
