import { expect, test } from 'vitest'
import { globalsOf } from '../../../server/flows/payload.ts'
import { openApplication } from '../../helpers/application.ts'

const button = { type: 'virtualButton', key: 'b', outputIds: [] }

test('gives the enabled flows, in the version that runs', async () => {
  const { app, plans, addFlow } = await openApplication()
  const cloud = await addFlow({ name: 'Cloud', triggers: [button] })
  await addFlow({ name: 'Off', triggers: [], enabled: false })
  const page = await addFlow({ name: 'Page', triggers: [], version: 'develop' })
  const versioned = await app
    .collection('flowVersions')
    .insert({ flowId: cloud, version: 'v1', enabled: true, content: { triggers: [], nodes: [], globals: [] } })
  expect(
    (await plans.of(app)).flows.map(({ id, version, experienceVersion }) => ({ id, version, experienceVersion })),
  ).toEqual(
    expect.arrayContaining([
      { id: cloud, version: 'develop', experienceVersion: undefined },
      { id: page, version: 'develop', experienceVersion: 'develop' },
    ]),
  )
  await app.collection('flows').update(cloud, { defaultVersionId: versioned.id })
  const chosen = (await plans.of(app)).flows.find(({ id }) => id === cloud)
  expect(chosen).toMatchObject({ version: 'v1', plan: { triggers: [] } })
})

test('an edit is seen by the next call; what did not change is not compiled again', async () => {
  const { app, plans, addFlow } = await openApplication()
  const one = await addFlow({ name: 'One', triggers: [button] })
  await addFlow({ name: 'Two', triggers: [button] })
  const before = await plans.of(app)
  expect(await plans.of(app)).toBe(before)
  await app.collection('flows').update(one, { name: 'Uno', content: { triggers: [], nodes: [], globals: [] } })
  const after = await plans.of(app)
  const planOf = (flows: typeof before, name: string) => flows.flows.find((flow) => flow.name === name)?.plan
  expect(planOf(after, 'Uno')?.triggers).toEqual([])
  expect(planOf(after, 'Two')).toBe(planOf(before, 'Two'))
})

test('globals of the flow win over those of the version, and those over the application, key by key', async () => {
  const { app, plans, addFlow } = await openApplication()
  await addFlow({ name: 'Page', triggers: [], version: 'develop', globals: [{ key: 'c', json: '3' }] })
  await addFlow({ name: 'Cloud', triggers: [], globals: [] })
  const flows = await plans.of(app)
  const of = (name: string) => globalsOf(flows, flows.flows.find((flow) => flow.name === name)!)
  expect(of('Page')).toEqual({ a: 'version', b: { deep: 1 }, c: 3 })
  expect(of('Cloud')).toEqual({ a: 'app' })
})

test('others have their turn between the flows that are compiled', async () => {
  const { app, plans, addFlow } = await openApplication()
  const nodes = Array.from({ length: 300 }, (_, n) => {
    const template = Array.from({ length: 20 }, (_, at) => `{{#if data.a${n}x${at}}}yes{{else}}no{{/if}}`).join('')
    return {
      ...{ id: `n${n}`, type: 'MutateNode', meta: {}, outputIds: [] },
      config: { rules: [{ type: 'set', destination: 'working.text', valueTemplate: template }] },
    }
  })
  for (let n = 0; n < 8; n++) await addFlow({ name: `Flow ${n}`, triggers: [button], nodes })
  let turns = 0
  const count = () => {
    turns += 1
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  const { flows } = await plans.of(app)
  clearImmediate(next)
  expect(flows).toHaveLength(8)
  expect(turns).toBeGreaterThanOrEqual(7)
})

test('gives the listeners of a type, or of a type and key, in the order of the flows', async () => {
  const { app, plans, addFlow } = await openApplication()
  const timer = { type: 'timer', key: 't', config: { seconds: 60 }, outputIds: [] }
  await addFlow({ name: 'One', triggers: [timer, button] })
  await addFlow({ name: 'Off', triggers: [button], enabled: false })
  await addFlow({ name: 'Two', triggers: [{ ...button, key: 'c' }, button] })
  const { flows, listeners } = await plans.of(app)
  const found = (type: string, key?: string) =>
    listeners(type, key).map(({ flow, trigger, index }) => [flow.name, trigger.key, index])
  const inOrder = flows.flatMap(({ name, plan }) =>
    plan.triggers.flatMap(({ type, key }, index) => (type === 'virtual-button' ? [[name, key, index]] : [])),
  )
  expect(inOrder).toHaveLength(3)
  expect(found('virtual-button')).toEqual(inOrder)
  expect(found('virtual-button', 'b')).toEqual(inOrder.filter(([, key]) => key === 'b'))
  expect(found('timer')).toEqual([['One', 't', 0]])
  expect([...found('virtual-button', 'd'), ...found('endpoint')]).toEqual([])
})
