import { kinds } from '../bundle/kinds.ts'
import { pointTo } from '../bundle/problem.ts'
import { anything, listOf, oneOf, type Rule, ruled, shape, text, whole } from '../bundle/rules.ts'
import { collections } from '../store/documents.ts'

const shortNames: Record<string, string> = {
  devices: 'DeviceTree',
  recipes: 'DeviceRecipe',
  groups: 'ExperienceGroupTree',
  users: 'ExperienceUser',
  views: 'ExperienceView',
  endpoints: 'ExperienceEndpoint',
  flows: 'Flow',
  tables: 'DataTable',
}

/** The kind of resource that a key of `world` means: its published name, or a word of ours for it. */
export function worldKind(key: string): string | undefined {
  const name = Object.hasOwn(shortNames, key) ? shortNames[key] : key
  return kinds.find((one) => one.name === name)?.name
}

const words = text({ min: 1, max: 1_000 })
const object: Rule = shape({})
const list = listOf(anything, 1_000)

/** An object that has no fields but these. */
function closed(fields: Record<string, Rule>, required: readonly string[] = []): Rule {
  const known = shape(fields, required)
  return ruled({ ...known.schema, additionalProperties: false }, (value, pointer, fail) => {
    known(value, pointer, fail)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(fields, name)) continue
      fail(pointTo(pointer, name), `Expected one of ${Object.keys(fields).join(', ')}, got "${name}"`)
    }
  })
}

/** What fits one of two rules. Says what is wrong by the one that the value comes nearest to: whose failures lie deeper. */
function either(first: Rule, second: Rule): Rule {
  return ruled({ anyOf: [first.schema ?? {}, second.schema ?? {}] }, (value, pointer, fail) => {
    const [one, other] = [first, second].map((rule) => {
      const failures: [string, string][] = []
      rule(value, pointer, (at, message) => void failures.push([at, message]))
      return failures
    }) as [[string, string][], [string, string][]]
    if (one.length === 0 || other.length === 0) return
    const isDeep = one.every(([at]) => at.length > pointer.length)
    for (const [at, message] of isDeep ? one : other) fail(at, message)
  })
}

function eachOf(rule: Rule, nameOf?: (name: string) => string | undefined): Rule {
  return ruled({ type: 'object', additionalProperties: rule.schema ?? {} }, (value, pointer, fail) => {
    object(value, pointer, fail)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return
    for (const [name, one] of Object.entries(value)) {
      const wrong = nameOf?.(name)
      if (wrong !== undefined) fail(pointTo(pointer, name), wrong)
      else rule(one, pointTo(pointer, name), fail)
    }
  })
}

const time: Rule = ruled({ type: 'string' }, (value, pointer, fail) => {
  if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return
  fail(pointer, `Expected a time like "2026-01-05T08:00:00Z", got ${JSON.stringify(value)}`)
})

const output = either(whole(0, 1_000), words)
const mock = closed({ write: object, output, error: either(words, closed({ code: words, message: words })) })
const mocks = eachOf(either(mock, listOf(mock, 1_000)))
const state = listOf(closed({ device: words, minutesAgo: whole(0, 525_600), data: object }, ['device', 'data']), 1_000)
const http = listOf(
  closed(
    { request: words, status: whole(100, 599), headers: eachOf(text({ max: 10_000 })), body: anything, error: words },
    ['request'],
  ),
  1_000,
)
const common = {
  trigger: either(whole(0, 1_000), words),
  as: words,
  clock: time,
  timeoutMs: whole(1, 60_000),
  mocks,
  state,
  http,
  data: object,
  device: words,
  events: listOf(object, 1_000),
  tables: eachOf(listOf(object, 5_000)),
}

const expectation = closed({
  path: listOf(words, 1_000),
  visited: listOf(words, 1_000),
  notVisited: listOf(words, 1_000),
  error: either(words, object),
  payload: anything,
  at: object,
  reply: either(
    oneOf('none'),
    closed({
      ...{ status: anything, headers: object, cookies: object, page: anything, layout: anything, data: anything },
      ...{ body: anything, location: anything, contains: listOf(words, 100), notContains: listOf(words, 100) },
    }),
  ),
  mails: list,
  requests: list,
  debug: list,
  values: object,
  state: eachOf(object),
  devices: object,
  users: object,
  groups: object,
  events: list,
  tables: eachOf(listOf(anything, 10_000)),
  created: eachOf(list, (name) => {
    const known = Object.keys(collections)
    return known.includes(name) ? undefined : `Expected one of ${known.join(', ')}, got "${name}"`
  }),
})

const testCase = closed(
  { name: words, ...common, payload: object, globals: object, values: object, expect: expectation },
  ['name'],
)

/** A file of flow tests, as docs/flow-tests.md says. */
export const testFileRule: Rule = closed(
  {
    ...common,
    $schema: words,
    flow: words,
    application: words,
    password: text({ min: 8, max: 2_048 }),
    world: eachOf(listOf(object, 10_000), (name) =>
      worldKind(name) === undefined
        ? `Expected a kind of resource such as users or ExperienceUser, got "${name}"`
        : undefined,
    ),
    tests: listOf(testCase, 1_000),
  },
  ['tests'],
)
