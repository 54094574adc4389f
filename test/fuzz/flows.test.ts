import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { FlowClass } from '../../engine/document.ts'
import { flowErrors } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import { type Loaded, openStage, type Stage, type World } from '../corpus/stage.ts'
import { openTestSqlite } from '../helpers/store.ts'
import { effort, mutate, mutations } from './mutate.ts'

const root = join(import.meta.dirname, '../..')
const examples = ['generators', 'one-to-many', 'many-to-many']
const MOST_VISITS = 300

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

interface Written {
  file: string
  flowClass: FlowClass
  content: Payload
}

/** Every flow of flows/ and examples/, as its file has it. */
const written = ['flows', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(json|ya?ml)$/.test(name) && !/\.test\.|\/files\//.test(name))
    .flatMap((name): Written[] => {
      const file = join(folder, name)
      const { resources = [], resourceType } = parse(readFileSync(join(root, file), 'utf8')) as Record<string, never>
      return (resources as Payload[])
        .filter((one) => Array.isArray(one.nodes))
        .map((one) => {
          const flowClass = resourceType === 'ExperienceFlowVersion' ? 'experience' : (one.flowClass ?? 'cloud')
          return { file, flowClass: flowClass as FlowClass, content: one }
        })
    }),
)

/** As a request, a report and a button together would start a flow. */
const start: Payload = {
  ...{ applicationId: 'a'.repeat(24), applicationName: 'First', flowId: 'f'.repeat(24), flowName: 'Case', globals: {} },
  ...{
    triggerId: 't',
    triggerType: 'endpoint',
    relayId: '0'.repeat(24),
    relayType: 'user',
    device: null,
    deviceTags: {},
  },
  data: {
    ...{
      method: 'post',
      path: '/',
      query: { page: '1' },
      params: { deviceId: '6521f7b20c1d4e8a9b3c5d71' },
      headers: {},
    },
    ...{
      body: { email: 'user1@example.com', password: 'correct horse', name: 'Pump' },
      cookies: {},
      replyId: 'case.1',
    },
    ...{ temperature: 42, errorInfo: { error: { message: 'x' } }, list: [1, 2] },
  },
  experience: {
    user: { id: '6521f7b20c1d4e8a9b3c5d70', email: 'user1@example.com', userTags: {}, experienceGroups: [{ id: 'x' }] },
    ...{ version: 'develop', endpoint: { id: 'e'.repeat(24) }, authInfo: null },
  },
}

async function runAll({ flow, visit }: Loaded, what: string, payload: Payload): Promise<string[]> {
  const faults: string[] = []
  for (const { entry, key } of flow.plan.triggers.slice(0, 20)) {
    const { fault } = await visit({ what: `${what} from ${key}`, entry, payload, visits: MOST_VISITS })
    if (fault !== undefined) faults.push(`${what} from ${key}: ${fault}`)
  }
  return faults
}

test('there are flows of every kind to change', () => {
  expect(written.length).toBeGreaterThan(40)
  expect(new Set(written.map(({ flowClass }) => flowClass))).toContain('experience')
})

test('a flow that was changed at random loads and runs, or says what is wrong with it', async () => {
  const world: World = await stage.world(await openTestSqlite())
  let problems = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...written), mutations, async ({ file, flowClass, content }, changes) => {
      const changed = mutate(content, changes)
      // The store refuses what is larger.
      fc.pre(JSON.stringify(changed).length < 16_000_000)
      const loaded = await world.load({ flowClass, content: changed as Payload })
      for (const { code, message, pointer } of loaded.flow.problems) {
        problems += 1
        expect(Object.hasOwn(flowErrors, code)).toBe(true)
        expect(message).not.toBe('')
        expect(pointer).toMatch(/^(\/|$)/)
      }
      expect(await runAll(loaded, file, start)).toEqual([])
      await world.app.collection('flows').remove(loaded.flow.id)
    }),
    effort(150),
  )
  expect(problems).toBeGreaterThan(100)
  await world.expectKept()
}, 600_000)

test.each(examples)(
  'every flow of %s comes to an end with whatever payload',
  async (example) => {
    const world = await stage.world(await openTestSqlite(), join(root, 'examples', example))
    const flows = await world.flows()
    expect(flows.length).toBeGreaterThan(3)
    let done = 0
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...flows), mutations, async (loaded, changes) => {
        const changed = mutate(start, changes)
        const payload = changed !== null && typeof changed === 'object' ? { ...(changed as Payload) } : {}
        expect(await runAll(loaded, loaded.flow.name, payload)).toEqual([])
        done += 1
      }),
      effort(150),
    )
    expect(done).toBeGreaterThan(0)
    await world.expectKept()
  },
  600_000,
)
