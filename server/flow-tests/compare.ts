import type { NodePlace } from '../../engine/node.ts'
import { parsePath, readPath } from '../../engine/payload.ts'
import type { Outcome } from '../../engine/run.ts'
import type { DebugMessage } from '../flows/debug.ts'
import { differences, type Mismatch, mismatches, show } from './match.ts'
import type { GotReply } from './replies.ts'
import type { SentMail, SentRequest } from './stand-ins.ts'
import type { Expectation } from './test-file.ts'

/** What a run has left to be looked at. */
export interface GotRun {
  outcome: Outcome
  reply: GotReply | undefined
  mails: SentMail[]
  requests: SentRequest[]
  messages: DebugMessage[]
  /** Of all nodes of the flow. */
  places: NodePlace[]
}

/** Where a run is not as the case expects it. */
export function compareRun(expect: Expectation, got: GotRun): Mismatch[] {
  const { outcome, reply, mails, requests, messages, places } = got
  const debug = messages.map(({ nodeId, callers = [], level, message, value }) => ({
    // Of a custom node: its nodes are none of the flow, also where they have the same ids.
    ...{ node: callers.length > 0 ? nodeId : places.find(({ id }) => id === nodeId)?.label, level, message, value },
  }))
  return [
    ...compareEnd(expect, outcome),
    ...compareWay(expect, outcome, places),
    ...(expect.payload === undefined ? [] : mismatches(expect.payload, outcome.payload, 'payload')),
    ...Object.entries(expect.at ?? {}).flatMap(([path, value]) =>
      differences(value, readPath(outcome.payload, parsePath(path) ?? []), path),
    ),
    ...compareReply(expect.reply, reply),
    ...(expect.mails === undefined ? [] : mismatches(expect.mails, mails, 'mails')),
    ...(expect.requests === undefined ? [] : mismatches(expect.requests, requests, 'requests')),
    ...(expect.debug === undefined ? [] : mismatches(expect.debug, debug, 'debug')),
  ]
}

function compareEnd({ error }: Expectation, outcome: Outcome): Mismatch[] {
  const { code, name, message, node } = outcome.error ?? {}
  const got = outcome.error && { code, name, message, node: node?.label, nodeId: node?.id }
  if (error !== undefined) return mismatches(typeof error === 'string' ? { code: error } : error, got, 'error')
  if (!got) return []
  const at = got.node === undefined ? '' : ` at "${got.node}"`
  return [{ at: 'error', expected: 'a run that ends well', got: `${message} (${code})${at}` }]
}

function compareWay({ path, visited, notVisited }: Expectation, { visits }: Outcome, places: NodePlace[]): Mismatch[] {
  const own = visits.filter(({ inside }) => inside === undefined)
  const names = own.map(({ node }) => places.find(({ id }) => id === node) ?? { id: node, label: node })
  const means = (wanted: string, place: { id: string; label: string }) => wanted === place.id || wanted === place.label
  const way = names.map(({ label }) => label)
  const wrong: Mismatch[] = []
  if (path !== undefined && !(path.length === way.length && path.every((one, index) => means(one, names[index]!)))) {
    wrong.push({ at: 'path', expected: path.join(' > '), got: way.join(' > ') || 'no node' })
  }
  for (const [at, wanted, there] of [
    ['visited', visited ?? [], true],
    ['notVisited', notVisited ?? [], false],
  ] as const) {
    for (const one of wanted) {
      // A word that is misspelt is never visited.
      const known = places.some((place) => means(one, place))
      if (known && names.some((place) => means(one, place)) === there) continue
      const expected = known ? `${there ? 'a' : 'no'} visit of "${one}"` : `a node "${one}" in the flow`
      wrong.push({ at, expected, got: known ? way.join(' > ') || 'no node' : 'none of this id or label' })
    }
  }
  return wrong
}

function compareReply(expected: Expectation['reply'], got: GotReply | undefined): Mismatch[] {
  if (expected === undefined) return []
  if (expected === 'none') {
    return got === undefined ? [] : [{ at: 'reply', expected: 'none', got: `one with status ${got.status}` }]
  }
  if (got === undefined) return [{ at: 'reply', expected: show(expected), got: 'none' }]
  const { contains = [], notContains = [], ...fields } = expected as { contains?: string[]; notContains?: string[] }
  const text = (there: boolean) => (one: string) => got.text.includes(one) !== there
  return [
    ...mismatches(fields, got, 'reply'),
    ...contains
      .filter(text(true))
      .map((one) => ({ at: 'reply.text', expected: `"${one}" in it`, got: show(got.text) })),
    ...notContains
      .filter(text(false))
      .map((one) => ({ at: 'reply.text', expected: `no "${one}" in it`, got: show(got.text) })),
  ]
}
