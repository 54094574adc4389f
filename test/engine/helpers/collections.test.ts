import { expect, test } from 'vitest'
import { openTemplates } from '../../../engine/template.ts'

const templates = openTemplates()
const root = {
  list: [
    { id: 1, key: 'a', value: 'A', tags: { k: 't1' } },
    { id: 2, key: 'b', value: 'B', tags: { k: 't2' } },
    { id: 3, key: 'b', value: 'C' },
  ],
  a: { x: 1, y: { z: 1 } },
  b: { y: 2 },
  words: ['u', 'v'],
}

test.each([
  ['obj', {}],
  ['obj a=1 deviceId-0="x" 0day=missing', { a: 1, 'deviceId-0': 'x', '0day': undefined }],
  ['obj ctx=(obj tag=(obj key="a" value=words))', { ctx: { tag: { key: 'a', value: ['u', 'v'] } } }],
  ['array', []],
  ['array 1 "b" missing (array)', [1, 'b', undefined, []]],
  ['merge a b', { x: 1, y: 2 }],
  ['merge a missing "text" words', { x: 1, y: { z: 1 } }],
  ['merge', {}],
  ['valueByKey list "b"', 'B'],
  ['valueByKey list "zz"', undefined],
  ['valueByKey list 3 "id"', 'C'],
  ['valueByKey list "3" "id"', undefined],
  ['valueByKey list "t2" "tags.k" "id"', 2],
  ['valueByKey words "v" "." "."', 'v'],
  ['valueByKey list 1 "id" "."', { id: 1, key: 'a', value: 'A', tags: { k: 't1' } }],
  ['valueByKey missing "b"', undefined],
  ['valueByKey list "b" keyPath="key" valuePath="id"', 2],
  ['indexByKey list "b"', 1],
  ['indexByKey list 3 "id"', 2],
  ['indexByKey list "zz"', -1],
  ['indexByKey missing "b"', -1],
  ['indexByKey a "x"', -1],
  ['indexByKey', -1],
  ['indexByKey list', -1],
  ['indexByKey list "t2" keyPath="tags.k"', 1],
  ['indexByKey words "v" "."', 1],
  ['valueByKey a "x"', undefined],
  ['valueByKey list', undefined],
  ['valueByKey list "b" missing missing', 'B'],
  ['valueByKey list "b" "key" "none.at.all"', undefined],
  ['obj a=missing', { a: undefined }],
  ['merge a missing b', { x: 1, y: 2 }],
  ['merge (obj a=(obj b=1)) (obj a=(obj c=2))', { a: { c: 2 } }],
  ['array words', [['u', 'v']]],
])('%s is %j', (call, value) => {
  expect(templates.value(`{{${call}}}`)(root)).toEqual(value)
})

test.each(['valueByKey list "b" "a..b"', 'valueByKey list "b" "key" "{{x}}"', 'indexByKey list 1 "a["'])(
  'a path that is none fails: %s',
  (call) => {
    expect(() => templates.value(`{{${call}}}`)(root)).toThrow(expect.objectContaining({ code: 'path.syntax' }))
  },
)

test('merge leaves its arguments alone', () => {
  templates.value('{{merge a b}}')(root)
  expect(root.a).toEqual({ x: 1, y: { z: 1 } })
})
