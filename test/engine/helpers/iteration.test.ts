import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  list: ['a', 'b'],
  object: { x: 1, y: 2 },
  n: 2.9,
  text: 'abc',
  date: new Date(0),
  nan: Number.NaN,
  big: -1,
}

test.each([
  ['{{#each list}}{{@index}}{{@key}}{{this}}{{@first}}{{@last}} {{/each}}', '00atruefalse 11bfalsetrue '],
  ['{{#each object}}{{@key}}{{this}}{{@index}} {{/each}}', 'x10 y21 '],
  ['{{#each 3}}{{this}}{{/each}}', '012'],
  ['{{#each n as |page|}}{{page}}{{/each}}', '01'],
  ['{{#each 0}}x{{else}}none{{/each}}', 'none'],
  ['{{#each big}}x{{else}}none{{/each}}', 'none'],
  ['{{#each nan}}x{{else}}none{{/each}}', 'none'],
  ['{{#each text}}x{{else}}none{{/each}}', 'none'],
  ['{{#each date}}x{{else}}none{{/each}}', 'none'],
  ['{{#each missing}}x{{else}}none{{/each}}', 'none'],
  ['{{#each true}}x{{else}}none{{/each}}', 'none'],
  ['{{#each (obj)}}x{{else}}none{{/each}}', 'none'],
  ['{{#each list}}{{lookup @root.list (subtract @index 1)}};{{/each}}', ';a;'],
  ['{{#if nan}}x{{else}}falsy{{/if}}', 'falsy'],
  ['{{#unless list}}x{{else}}y{{/unless}}', 'y'],
  ['{{#with 0}}zero {{this}}{{/with}}', 'zero 0'],
  ['{{lookup text 1}}!', 'b!'],
  ['{{lookup text "length"}}!', '3!'],
  ['{{lookup missing "x"}}!', '!'],
  ['{{lookup object missing}}!', '!'],
  ['{{lookup list -1}}!', '!'],
  ['{{lookup list "1"}}!', 'b!'],
  ['{{lookup list 9}}!', '!'],
  ['{{lookup object "x"}}{{lookup object}}!', '1!'],
  ['{{lookup "a" "constructor"}}!', '!'],
  ['{{log list}}!', '!'],
  ['{{#each "3"}}x{{else}}none{{/each}}', 'none'],
  ['{{#each (add n 0.2)}}{{@index}}{{@first}}{{@last}} {{/each}}', '0truefalse 1falsefalse 2falsetrue '],
  ['{{#each 2 as |p i|}}{{p}}{{i}}{{/each}}', '0011'],
  [
    '{{#if (obj)}}y{{else}}n{{/if}}{{#if (array)}}y{{else}}n{{/if}}{{#if "0"}}y{{/if}}{{#if ""}}{{else}}n{{/if}}',
    'ynyn',
  ],
  ['{{#unless missing}}y{{/unless}}{{#unless 0}}y{{/unless}}{{#unless "x"}}y{{else}}n{{/unless}}', 'yyn'],
  ['{{#with text}}{{this}}{{/with}}{{#with ""}}y{{else}}n{{/with}}{{#with false}}y{{else}}n{{/with}}', 'abcnn'],
])('%s', (source, text) => {
  expect(templates.text(source)(root)).toBe(text)
})
