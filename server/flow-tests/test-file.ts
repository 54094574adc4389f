import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Payload } from '../../engine/payload.ts'
import { parseJson, parseYaml } from '../bundle/parse.ts'
import { type Problem, pointTo } from '../bundle/problem.ts'
import { testFileRule } from './test-file-rules.ts'

/** A file of flow tests as it was read: docs/flow-tests.md. Paths can be opened from where the command runs. */
export interface TestFile {
  file: string
  /** The file of the flow. */
  flow: string
  /** The application folder to run in; undefined: the one that the flow is in, else an empty one. */
  application?: string
  /** Given to users that come without a password. */
  password?: string
  /** Resources in the published form, by kind. */
  world: Record<string, unknown[]>
  tests: TestCase[]
}

export interface TestCase {
  name: string
  /** JSON pointer of the case in its file. */
  pointer: string
  /** Key, type, route or position of a trigger; undefined: the first. */
  trigger?: string | number
  /** Over the data that the trigger gives. */
  data: Payload
  /** Over the whole payload. */
  payload: Payload
  /** Over the globals of the flow. */
  globals: Payload
  /** E-mail address of the user who asks. */
  as?: string
  /** Name of the device that has reported, or that was made. */
  device?: string
  /** Milliseconds since the epoch. */
  clock: number
  timeoutMs: number
  /** Storage of the flow before the run. */
  values: Payload
  /** What devices reported before the run. */
  state: { device: string; minutesAgo?: number; data: Payload }[]
  /** Events before the run, as a flow would create them. */
  events: Payload[]
  /** Table name to the rows that are in it before the run. */
  tables: Record<string, Payload[]>
  /** By id, label or type of nodes. A list has an entry for each visit; its last one stays. */
  mocks: Record<string, Mock | Mock[]>
  http: HttpStandIn[]
  expect: Expectation
}

/** What a node does instead of its own work. */
export interface Mock {
  /** Path to value. */
  write?: Payload
  /** Name or position; default the only one. */
  output?: string | number
  /** The message, or code and message, of the error that it throws. */
  error?: string | { code?: string; message?: string }
}

/** The answer to requests to a URL; one that ends in `*` means all that begin so. */
export interface HttpStandIn {
  /** `GET https://example.com/a`; without a method any will do. */
  request: string
  status?: number
  headers?: Record<string, string>
  /** Text as it stands; anything else is sent as JSON. */
  body?: unknown
  /** No answer: the message of the failure. */
  error?: string
}

export interface Expectation {
  /** Ids or labels of all visited nodes, in order of their start. */
  path?: string[]
  visited?: string[]
  notVisited?: string[]
  /** The code of the error that the run ends with, or its parts; absent: it ends without one. */
  error?: string | Payload
  payload?: unknown
  /** Path to what stands there. */
  at?: Payload
  reply?: 'none' | Payload
  mails?: unknown[]
  requests?: unknown[]
  debug?: unknown[]
  values?: Payload
  /** Device name to attribute to value. */
  state?: Record<string, Payload>
  devices?: Payload
  users?: Payload
  groups?: Payload
  /** All events after the run, in any order. */
  events?: unknown[]
  /** Table name to all its rows after the run, in any order. */
  tables?: Record<string, unknown[]>
  /** Collection to all documents that the run has added, in any order. */
  created?: Record<string, unknown[]>
}

/** 5 January 2026, 08:00 UTC. */
const defaultClock = Date.UTC(2026, 0, 5, 8)
const defaultTimeoutMs = 5_000

/** True for what names a file of flow tests. */
export function isTestFile(path: string): boolean {
  return /\.test\.(json|ya?ml)$/i.test(path)
}

/** Reads a file of flow tests; every problem at once. `source` is its text, for line numbers. */
export async function readTestFile(file: string): Promise<{ test?: TestFile; problems: Problem[]; source: string }> {
  const source = await readFile(file, 'utf8')
  const parsed = /json$/i.test(file) ? parseJson(source) : parseYaml(source)
  if (!('value' in parsed)) {
    const { message, line } = parsed
    return { problems: [{ code: 'test.syntax', message, severity: 'error', file, pointer: '', line }], source }
  }
  const problems: Problem[] = []
  testFileRule(parsed.value, '', (pointer, message) => {
    problems.push({ code: 'test.field', message, severity: 'error', file, pointer })
  })
  return problems.length > 0
    ? { problems, source }
    : { test: toTestFile(file, parsed.value as Payload), problems, source }
}

function toTestFile(file: string, raw: Payload): TestFile {
  const { flow, application, clock, timeoutMs, trigger, as, data, device, tests, password, ...rest } = raw
  const world = (rest.world ?? {}) as TestFile['world']
  const common = {
    clock,
    timeoutMs,
    trigger,
    as,
    data,
    device,
    events: rest.events,
    http: rest.http,
    state: rest.state,
    tables: rest.tables,
    mocks: rest.mocks,
  }
  return {
    file,
    flow: flow === undefined ? file.replace(/\.test\.\w+$/i, '') : join(dirname(file), String(flow)),
    ...(application === undefined ? {} : { application: join(dirname(file), String(application)) }),
    ...(password === undefined ? {} : { password: String(password) }),
    world,
    tests: (tests as Payload[]).map((one, index) => toCase({ ...withoutNothing(common), ...one }, index)),
  }
}

function toCase(raw: Payload, index: number): TestCase {
  const { clock, timeoutMs = defaultTimeoutMs, ...rest } = raw
  const filled = {
    ...{
      data: {},
      payload: {},
      globals: {},
      values: {},
      state: [],
      events: [],
      tables: {},
      mocks: {},
      http: [],
      expect: {},
    },
    ...withoutNothing(rest),
    pointer: pointTo('/tests', index),
    clock: clock === undefined ? defaultClock : Date.parse(String(clock)),
    timeoutMs,
  }
  return filled as unknown as TestCase
}

function withoutNothing(raw: Payload): Payload {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined && value !== null))
}
