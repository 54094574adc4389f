import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  greeting: 'Hi {{name}}{{@root.name}} {{this}}',
  name: '<Ann>',
  item: { name: 'Bob', n: 3 },
  formula: '{{n}} * 2 + "x{{name}}"',
  sum: '{{n}} * 2',
  html: '<b>{{name}}</b>',
  nothing: null,
}

test.each([
  ['-{{template "{{name}}"}}', '-&amp;lt;Ann&amp;gt;'],
  ['-{{{template "{{name}}"}}}', '-&lt;Ann&gt;'],
  ['-{{{template html}}}', '-<b>&lt;Ann&gt;</b>'],
  ['-{{template "{{name}}" item}}', '-Bob'],
  ['-{{{template "{{name}} {{@root.name}}" item}}}', '-Bob &lt;Ann&gt;'],
  ['-{{template "[{{this}}]" "text"}}', '-[text]'],
  ['-{{template "[{{this}}{{name}}]" nothing}}', '-[]'],
  ['-{{template missing}}', '-'],
  ['-{{template nothing}}', '-'],
  ['-{{template false}}', '-false'],
  ['-{{template 5}}', '-5'],
  ['-{{template "{{#each (array 1 2)}}{{this}}{{/each}}"}}', '-12'],
  ['{{#each (array 1 2)}}{{template "{{@index}}{{this}}"}};{{/each}}', '01;12;'],
  ['{{#with item}}{{evalExpression "{{n}} * 2"}}{{/with}}', '6'],
  ['-{{evalExpression sum item}}', '-6'],
  ['-{{evalExpression formula item}}', '-6xBob'],
  ['-{{evalExpression missing}}', '-'],
  ['-{{evalExpression 5}}', '-5'],
  ['-{{template (array "a" 1)}}', '-a,1'],
  ['-{{template ""}}', '-'],
  ['-{{template "{{name}}" missing}}', '-'],
  ['-{{{template "{{@root.item.name}}" item}}}', '-Bob'],
  ['-{{template "{{lower this}}" "AB"}}', '-ab'],
])('%s is %j', (source, text) => {
  expect(templates.text(source)(root)).toBe(text)
})

test('evalExpression gives the raw value', () => {
  expect(templates.value('{{evalExpression "{{n}} > 2" item}}')(root)).toBe(true)
})

test.each([
  '{{template "{{template \'x\'}}"}}',
  '{{template "{{evalExpression \'1\'}}"}}',
  `{{evalExpression "{{template 'x'}}"}}`,
  '{{template "{{a.0}}"}}',
  '{{template "{{#if}}"}}',
])('%s fails when it is rendered', (source) => {
  const render = templates.text(source)
  expect(() => render(root)).toThrow(expect.objectContaining({ code: 'template.syntax' }))
})

test('evalExpression refuses what is no expression', () => {
  expect(() => templates.value('{{evalExpression "1 +"}}')(root)).toThrow(
    expect.objectContaining({ code: 'expression.syntax' }),
  )
})
