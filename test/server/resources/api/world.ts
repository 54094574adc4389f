import { openJobs } from '../../../../server/jobs/jobs.ts'
import { openApi } from '../../../../server/resources/api/api.ts'
import { openCommands } from '../../../../server/resources/commands.ts'
import { openDataTables } from '../../../../server/resources/data-tables.ts'
import { filterOf } from '../../../../server/resources/devices.ts'
import { openExports } from '../../../../server/resources/exports.ts'
import type { Actor, Happening } from '../../../../server/resources/happenings.ts'
import { openResourceJobs } from '../../../../server/resources/resource-jobs.ts'
import { openResources } from '../../../../server/resources/resources.ts'
import { flowOf, runFlow } from '../../../helpers/flow.ts'
import { openTestWorld, type TestWorld } from '../world.ts'

export type Answer = { result: unknown } | { error: { type: string; statusCode: number; message: string } }

export interface ApiTestWorld extends TestWorld {
  /** What the node writes. */
  call(name: string, params?: Record<string, unknown>): Promise<Answer>
  /** The body of an answer; throws what is no result. */
  ok(name: string, params?: Record<string, unknown>): Promise<Record<string, unknown> & { id: string }>
  /** Commands that have left, and what flows were told of. */
  sent: string[]
  happenings: Happening[]
}

const flow = { id: 'f'.repeat(24), name: 'Flow' }
const actor: Actor = { type: 'flow', ...flow, depth: 0 }

/** The node over real resources with everything that a server gives it; `happened` and connections are recorded. */
export async function openApiWorld(): Promise<ApiTestWorld> {
  const world = await openTestWorld()
  const { app, clock } = world
  const now = () => clock.now
  const happenings: Happening[] = []
  const sent: string[] = []
  const happened = async (one: Happening) => void happenings.push(one)
  await app.collection('application').insert({
    ...{ id: app.scope.application, name: 'App', secret: 'very secret', globals: [{ key: 'kept', json: '1' }] },
  })
  const { users, groups, tenancy, actingAs, filesAs } = openResources({
    app,
    now,
    happened,
    secret: () => 's'.repeat(32),
  })
  const jobs = openJobs({ app, now, wake: () => undefined, nudge: () => undefined })
  const { devices, events } = actingAs(actor)
  const perform = async (_: unknown, orders: readonly object[]) =>
    void sent.push(...orders.map((one) => JSON.stringify(one)))
  const api = openApi({
    ...{ app, now, users, groups, devices, events, files: filesAs(actor) },
    dataTables: openDataTables({ app, now, actor, happened }),
    commands: openCommands({ app, now, actor, perform, filterOf: (criteria) => filterOf(criteria, tenancy) }),
    exports: openExports({
      app,
      now,
      jobs,
      origin: () => 'https://shop.example.com',
      by: { type: 'flow', id: flow.id },
    }),
    resourceJobs: openResourceJobs({ app, now, jobs, actor }),
    flows: { press: async () => ({ runId: 'r' }), cancel: async () => true } as never,
  })
  const call = async (name: string, params: Record<string, unknown> = {}): Promise<Answer> => {
    const [resource, action] = name.split('.')
    const config = { resource, action, responsePath: 'out' }
    const given = Object.keys(params).map((key) => ({ name: key, type: 'path', value: `params.${key}` }))
    const raw = flowOf([
      { id: 'n', type: 'LosantApiNode', config: { ...config, params: given }, meta: {}, outputIds: [] },
    ])
    const services = { api, debug: { write: () => undefined } }
    const { error, payload } = await runFlow(raw, { payload: { params }, services: services as never })
    if (error) throw error
    return payload.out as Answer
  }
  return {
    ...{ ...world, call, sent, happenings },
    async ok(name, params) {
      const answer = await call(name, params)
      if ('result' in answer) return answer.result as Record<string, unknown> & { id: string }
      throw new Error(`${name}: ${answer.error.message}`)
    },
  }
}
