import { expect, test } from 'vitest'
import { checkScript } from '../../../engine/sandbox/check.ts'

test.each([
  '',
  'return payload?.a ?? 1',
  "'use strict'; payload.a ??= 1",
  'payload.a = 1 // a comment at the end',
  'if (payload) return\npayload = 1',
  "import('x')",
])('takes %j', (script) => {
  expect(checkScript(script)).toBeUndefined()
})

test.each<[script: string, line: number]>([
  ['payload.\n= 1', 2],
  ['}); globalThis.ran = true; (function () {', 1],
  ['}, globalThis.ran = true, function () {', 1],
  ['\n\nawait 1', 3],
  ['/* no end', 1],
  ['let a\nlet a', 2],
  ['export const a = 1', 1],
])('refuses %j with its line, without running it', (script, line) => {
  expect(checkScript(script)).toMatchObject({ line, message: expect.any(String) })
  expect(globalThis).not.toHaveProperty('ran')
})

test('refuses a script of more than a million characters', () => {
  expect(checkScript(`//${'x'.repeat(1_000_000)}`)).toMatchObject({ line: 1 })
})

test('refuses nesting without end in place of failing', () => {
  expect(checkScript('('.repeat(9e5))).toMatchObject({ message: expect.any(String) })
})
