import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FlowClass, Problem } from '../../engine/document.ts'
import { flowErrors } from '../../engine/errors.ts'
import type { AnyNode } from '../../engine/node.ts'
import type { Payload } from '../../engine/payload.ts'
import { nodes } from '../../nodes/index.ts'
import { openTestSqlite } from '../helpers/store.ts'
import { type Case, casesOf } from './cases.ts'
import { openStage, type Stage } from './stage.ts'

// Only the time that a hash takes is left out: it is most of what creating users costs.
vi.mock('../../server/resources/passwords.ts', async (original) => ({
  ...(await original<object>()),
  hashPassword: async (password: string) => `a hash of ${password.length}`,
}))

const MOST_NODES = 1_000

const all = nodes as readonly AnyNode[]
const cap = all.find((one) => one.endsTurnOf !== undefined)!
const loop = all.find((one) => one.bodies !== undefined)!

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

let done = 0
let failed = 0

describe.each(all.map((one) => [one.type, one] as const))('%s', (_, node) => {
  test('loads, and comes to an end that its author can read, whatever its settings and its payload', async () => {
    const world = await stage.world(await openTestSqlite())
    const cases = [...casesOf(node)]
    const faults: string[] = []
    let ownDone = 0
    for (let from = 0; from < cases.length; from += MOST_NODES) {
      const part = cases.slice(from, from + MOST_NODES)
      const { flow, visit } = await world.load(flowOf(node, part))
      faults.push(...flow.problems.flatMap((one) => faultOf(one, part)))
      for (const [index, one] of part.entries()) {
        const what = `${node.type}, ${one.what}`
        const { outcome, fault } = await visit({ what, entry: [index], payload: one.payload })
        if (outcome.status === 'done') ownDone += 1
        else failed += 1
        if (fault !== undefined) faults.push(`${what}: ${fault}`)
      }
    }
    await world.expectKept()
    expect(faults).toEqual([])
    // Else nothing would have been tried.
    if (node.examples.some(({ error }) => error === undefined)) expect(ownDone).toBeGreaterThan(0)
    done += ownDone
  }, 60_000)
})

test('many cases were done, and many were refused', () => {
  expect(done).toBeGreaterThan(20_000)
  expect(failed).toBeGreaterThan(5_000)
})

const id = (index: number) => `case-${index}`

/** A flow with a node for each case, in this order; loops have a cap as their body, and caps a loop around them. */
function flowOf(node: AnyNode, cases: readonly Case[]): { flowClass: FlowClass; content: Payload } {
  const flowClass = (['cloud', 'experience', 'customNode'] as const).find((one) => !node.notIn?.includes(one))!
  const isCap = node.endsTurnOf !== undefined
  const own = cases.map(({ config, meta }, index) => {
    const one = {
      id: isCap ? `in-${id(index)}` : id(index),
      type: node.type,
      config,
      meta,
      outputIds: [] as string[][],
    }
    for (const body of node.bodies ?? []) one.outputIds[node.outputs.indexOf(body)] = [`in-${id(index)}`]
    if (isCap) one.meta = { ...meta, groupId: id(index) }
    return { ...one, outputIds: Array.from(one.outputIds, (ids) => ids ?? []) }
  })
  const around = cases.map((_case, index) => ({
    ...{ id: id(index), type: loop.type, config: loop.examples[0]!.config },
    outputIds: loop.outputs.map((output) => (loop.bodies!.includes(output) ? [`in-${id(index)}`] : [])),
  }))
  const inner = cases.map((_case, index) => {
    return { id: `in-${id(index)}`, type: cap.type, config: { loopNodeId: id(index) }, meta: { groupId: id(index) } }
  })
  const flowNodes = isCap ? [...around, ...own] : node.bodies ? [...own, ...inner] : own
  return { flowClass, content: { triggers: [], nodes: flowNodes, globals: [] } }
}

/** Nothing for a problem that tells where it is. */
function faultOf({ node, pointer, code, message }: Problem, cases: readonly Case[]): string[] {
  // Of a whole custom node: how often it ends.
  if (code === 'document.custom-node') return []
  const index = Number(/^\/nodes\/(\d+)\//.exec(pointer)?.[1]) % cases.length
  const isNamed = (node === id(index) || node === `in-${id(index)}`) && Object.hasOwn(flowErrors, code)
  return isNamed && message !== '' ? [] : [`${pointer}: a problem of no case (${node}, ${code}, ${message})`]
}
