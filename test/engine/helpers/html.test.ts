import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const text = (value: string) => ({ type: 'text', value })

test.each([
  [
    {
      children: [
        {
          type: 'element',
          name: 'p',
          attributes: { class: 'a"b', 'data-x': 1 },
          children: [text('1 < 2 & '), { type: 'element', name: 'br' }, { type: 'comment', value: 'c' }],
        },
      ],
    },
    '<p class="a&quot;b" data-x="1">1 &lt; 2 &amp; <br><!--c--></p>',
  ],
  [[text('a'), text('b')], 'ab'],
  [{ type: 'element', name: 'x onload=y', children: [text('t')] }, 't'],
  [{ type: 'element', name: 'i', attributes: { 'on x=1': 'y' }, children: [] }, '<i></i>'],
  [undefined, ''],
  ['<b>', '&lt;b&gt;'],
  [null, ''],
  [5, '5'],
  [{ children: 'text' }, 'text'],
  [{ type: 'cdata', value: 'a < b' }, 'a &lt; b'],
  [{ type: 'element', name: 'b' }, '<b></b>'],
])('prints %j', (tree, html) => {
  expect(templates.text('{{{toHtml tree}}}')({ tree })).toBe(html)
})

test('refuses a tree that is too deep', () => {
  let tree: unknown = text('x')
  for (let i = 0; i < 300; i++) tree = { type: 'element', name: 'b', children: [tree] }
  expect(() => templates.text('{{{toHtml tree}}}')({ tree })).toThrow(
    expect.objectContaining({ code: 'template.limit' }),
  )
})
