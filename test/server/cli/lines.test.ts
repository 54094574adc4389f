import { describe, expect, test } from 'vitest'
import { announcement } from '../../../server/cli/announce.ts'
import { debugLines } from '../../../server/cli/debug-line.ts'
import type { DebugMessage } from '../../../server/flows/debug.ts'

const message = (more: Partial<DebugMessage>): DebugMessage => ({
  ...{ runId: 'r', scope: { tenant: 't', application: 'a' }, flowId: 'f', flowName: 'Login', flowVersion: 'develop' },
  ...{
    time: new Date(2026, 0, 2, 3, 4, 5).getTime(),
    nodeId: 'n1',
    level: 'info',
    message: '',
    value: undefined,
    path: [],
  },
  ...more,
})

describe('a debug message', () => {
  test('is one line with time, level, flow and node, then its value', () => {
    expect(debugLines(message({ message: 'who', value: { user: 'Ann', groups: ['a'] } }))).toEqual([
      '03:04:05 info  Login > n1: who',
      "         { user: 'Ann', groups: [ 'a' ] }",
    ])
    expect(debugLines(message({}))).toEqual(['03:04:05 info  Login > n1'])
  })

  test('that is long is cut, and says so', () => {
    const lines = debugLines(message({ value: Array.from({ length: 50 }, (_, n) => ({ text: `${n} `.repeat(30) })) }))
    expect(lines).toHaveLength(42)
    expect(lines.at(-1)).toMatch(/^ +\.\.\. \d+ more lines$/)
  })

  test('sends nothing to the terminal but text', () => {
    const value = { 'k\u001b[2J': 'v\u001b]0;title\u0007\u009b1m' }
    const lines = debugLines(message({ message: 'a\u001b[31m\r\nb', flowName: 'f\u0008', value }))
    expect(lines.join('')).not.toMatch(/\p{Cc}/u)
    expect(lines[0]).toContain('a\\x1b[31m\\x0d\\x0ab')
  })
})

describe('the announcement', () => {
  const scope = { tenant: 't', application: 'a' }
  const options = { password: 'the-password', urlOf: (host: string) => `http://${host}:1` }
  const signIn = { given: [], other: [], none: [] }

  test('names those whom the password opens, and no password where it opens nobody', () => {
    const one = {
      scope,
      name: 'One',
      host: 'one.localhost',
      users: [],
      versions: [],
      signIn: { ...signIn, given: ['a@b'], other: ['c@d'] },
    }
    expect(announcement([one], options)).toEqual([
      '',
      '  One: http://one.localhost:1',
      '  Sign in as: a@b',
      '  With another password: c@d',
      '',
      '  Password: the-password',
      '',
    ])
    const none = { ...one, signIn: { ...signIn, other: ['c@d'] } }
    expect(announcement([none], options).join('\n')).not.toContain('the-password')
  })

  test('stays short with many users', () => {
    const given = Array.from({ length: 100 }, (_, n) => `u${n}@b`)
    const many = { scope, name: 'Many', host: 'many.localhost', users: [], versions: [], signIn: { ...signIn, given } }
    expect(announcement([many], options)[2]).toMatch(/^ {2}Sign in as: u0@b, .*u7@b and 92 more$/)
  })
})
