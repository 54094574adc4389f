import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flowErrors } from '../../engine/errors.ts'
import type { Field } from '../../engine/fields.ts'
import type { AnyTrigger } from '../../engine/trigger.ts'
import { triggers } from '../../nodes/index.ts'
import { buttonData, startPayload } from '../../server/flows/payload.ts'
import { openTestSqlite } from '../helpers/store.ts'
import { settingsOf } from './cases.ts'
import { raws } from './raws.ts'
import { openStage, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

// What the keys of the platform may be, and what they may not.
const keys = ['any', 'warning', 'kind/pump', '/', '0'.repeat(24), '6521f7b20c1d4e8a9b3c5d71']

/** Triggers of a type with every setting at every value, and with every key. */
function* triggersOf({ type, aliases, config }: AnyTrigger): Generator<{ what: string; trigger: object }> {
  const fields = Object.entries(config as Record<string, Field<unknown>>)
  for (const from of ['config', 'meta'] as const) {
    const own = Object.fromEntries(fields.filter(([, one]) => (one.from ?? 'config') === from))
    for (const { what, config: settings } of settingsOf(own, {})) {
      yield { what, trigger: { type: aliases[0] ?? type, key: keys[1], [from]: settings } }
    }
  }
  for (const name of [type, ...aliases]) {
    for (const key of [...keys, ...raws.map(({ value }) => (typeof value === 'symbol' ? undefined : value))]) {
      yield { what: `the key ${JSON.stringify(key)?.slice(0, 40)}`, trigger: { type: name, key, config: {} } }
    }
  }
}

describe.each(triggers.map((one) => [one.type, one as AnyTrigger] as const))('%s', (_, definition) => {
  test.each(definition.classes.filter((one) => one !== 'edge' && one !== 'embedded'))(
    'loads in a flow of class %s, or says where it is wrong, and starts runs',
    async (flowClass) => {
      const world = await stage.world(await openTestSqlite())
      const cases = [...triggersOf(definition)]
      const node = { id: 'node', type: 'DebugNode', config: { message: '{{triggerId}} {{jsonEncode data}}' } }
      const written = cases.map(({ trigger }) => ({ ...trigger, outputIds: [['node']] }))
      const content = { triggers: written, nodes: [node], globals: [] }
      const { flow, flows, visit } = await world.load({ flowClass, content })
      const faults = flow.problems.flatMap(({ pointer, code, message }) => {
        const isPlaced = code === 'document.custom-node' || cases[Number(/^\/triggers\/(\d+)\//.exec(pointer)?.[1])]
        return isPlaced && Object.hasOwn(flowErrors, code) && message !== '' ? [] : [`${pointer}: ${code} ${message}`]
      })
      expect(flow.plan.triggers).toHaveLength(cases.length)
      let sound = 0
      for (const [index, { what }] of cases.entries()) {
        const trigger = flow.plan.triggers[index]!
        if (trigger.type !== definition.type) continue
        sound += 1
        const payload = startPayload(flows, flow, {
          ...{ triggerId: trigger.key, triggerType: trigger.published, time: new Date(0) },
          ...{
            data: definition.type === 'virtual-button' ? buttonData(trigger) : {},
            relay: { type: 'user', id: 'x' },
          },
        })
        const { fault, outcome } = await visit({ what, entry: trigger.entry, payload })
        if (fault !== undefined) faults.push(`${what}: ${fault}`)
        else if (outcome.status !== 'done') faults.push(`${what}: ${outcome.error?.message}`)
      }
      expect(faults).toEqual([])
      expect(sound).toBeGreaterThan(0)
      expect(await world.happen()).toBeGreaterThanOrEqual(0)
      await world.happen()
      await world.expectKept()
    },
  )
})

test.each([
  ['device-create', {}],
  ['device-state', { key: '6521f7b20c1d4e8a9b3c5d71' }],
  ['event', { key: 'any' }],
  ['timer', { config: { seconds: 5 } }],
])('what happens to the corpus starts a trigger of type %s that listens', async (type, more) => {
  const world = await stage.world(await openTestSqlite())
  const content = { triggers: [{ type, key: type, ...more, outputIds: [] }], nodes: [], globals: [] }
  await world.load({ flowClass: 'cloud', content })
  expect(await world.happen()).toBeGreaterThan(0)
  await world.expectKept()
})
