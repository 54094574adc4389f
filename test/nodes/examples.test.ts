import { afterAll, describe, expect, test } from 'vitest'
import type { AnyNode } from '../../engine/node.ts'
import { openFunctionPool } from '../../engine/sandbox/pool.ts'
import { nodes } from '../../nodes/index.ts'
import type { Services } from '../../nodes/services.ts'
import { runNode } from '../helpers/run-node.ts'
import { memoryValues } from '../helpers/services.ts'

const pool = openFunctionPool({ children: 1 })
afterAll(() => pool.close())

// The services that need nothing of an application. Nodes that want more run their examples beside their own tests.
const fakes: Partial<{ [K in keyof Services]: Partial<Services[K]> }> = {
  clock: { now: () => Date.UTC(2024, 0, 2), sleep: async () => undefined },
  debug: { write: () => undefined },
  values: memoryValues(),
  functions: {
    run: async ({ script, value }) => (await pool.run({ script, value, application: 'test' })).value,
  },
  http: { send: async () => ({ status: 200, headers: {}, body: Buffer.from('[1]') }) },
  credentials: undefined,
}

const known = (nodes as readonly AnyNode[]).filter(({ needs }) => needs.every((need: string) => need in fakes))

describe.each(known.map((node) => [node.type, node] as const))('%s', (_, node) => {
  test('has an example', () => {
    expect(node.examples.length).toBeGreaterThan(0)
  })

  test.each(node.examples.map((example) => [example.title, example] as const))('%s', async (_, example) => {
    const use = Object.fromEntries(node.needs.map((need: keyof Services) => [need, fakes[need]]))
    const run = await runNode<keyof Services, AnyNode['config'], string>(node, { ...example, use: use as never })
    expect(run.problems).toEqual([])
    expect(run.error?.code).toBe(example.error)
    const output = typeof run.output === 'number' ? node.outputs[run.output] : run.output
    if (example.output !== undefined) expect(output).toBe(example.output)
    if (example.result !== undefined) expect(run.payload).toEqual(example.result)
  })
})

test('every node that ships has a type and a summary of one sentence', () => {
  for (const node of nodes as readonly AnyNode[]) {
    expect(node.type).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(node.summary).toMatch(/^[A-Z].*\.$/)
  }
})
