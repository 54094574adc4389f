import { expect, test } from 'vitest'
import { latch } from '../../../nodes/logic/latch.ts'
import { flowValues } from '../../../server/flows/flow-values.ts'
import { openApplication } from '../../helpers/application.ts'
import { runNode } from '../../helpers/run-node.ts'
import { memoryValues } from '../../helpers/services.ts'

const config = {
  latchExpression: '{{v}} > 80',
  resetExpression: '{{v}} < 70',
  latchIdTemplate: '{{id}}',
  latchResultPath: 'r.latches',
  resetResultPath: 'r.resets',
  wasLatchedPath: 'r.was',
  isLatchedPath: 'r.is',
  branchPath: 'r.branch',
}

test('latches once, stays so, and again after a reset', async () => {
  const values = memoryValues()
  const step = async (v: unknown) => {
    const { output, payload } = await runNode(latch, { config, payload: { v }, use: { values } })
    return [output, payload.r]
  }
  const facts = (latches: boolean, resets: boolean, was: boolean, is: boolean, branch: boolean) => [
    branch ? 'latched' : 'not-latched',
    { latches, resets, was, is, branch },
  ]
  expect(await step(75)).toEqual(facts(false, false, false, false, false))
  expect(await step(81)).toEqual(facts(true, false, false, true, true))
  expect(await step(82)).toEqual(facts(true, false, true, true, false))
  expect(await step(75)).toEqual(facts(false, false, true, true, false))
  expect(await step(undefined)).toEqual(facts(false, false, true, true, false))
  expect(await step(60)).toEqual(facts(false, true, true, false, false))
  expect(await step(60)).toEqual(facts(false, true, false, false, false))
  expect(await step(90)).toEqual(facts(true, false, false, true, true))
})

test('when both are true, it latches, then resets, in turns', async () => {
  const values = memoryValues()
  const both = { latchExpression: 'true', resetExpression: '1', isLatchedPath: 'is' }
  const outputs = []
  for (let i = 0; i < 4; i++) {
    const { output, payload } = await runNode(latch, { config: both, use: { values } })
    outputs.push([output, payload.is])
  }
  expect(outputs).toEqual([
    ['latched', true],
    ['not-latched', false],
    ['latched', true],
    ['not-latched', false],
  ])
})

test('each id is a latch of its own', async () => {
  const values = memoryValues()
  const of = async (id: string) => (await runNode(latch, { config, payload: { v: 90, id }, use: { values } })).output
  expect([await of('a'), await of('b'), await of(''), await of('a'), await of('')]).toEqual([
    ...['latched', 'latched', 'latched', 'not-latched', 'not-latched'],
  ])
})

test('of many runs at once exactly one latches, in a real store', async () => {
  const { app } = await openApplication()
  const values = flowValues(app.values, 'f1')
  const run = () => runNode(latch, { config, payload: { v: 90 }, use: { values } })
  const outputs = (await Promise.all(Array.from({ length: 30 }, run))).map(({ output }) => output)
  expect(outputs.filter((one) => one === 'latched')).toHaveLength(1)
  // Nothing of it shows among the values of the flow.
  expect(await values.all()).toEqual({})
})

test('asks for both expressions, and refuses one that cannot be read, or an id without end', async () => {
  const values = memoryValues()
  const { problems } = await runNode(latch, { config: { latchExpression: '{{v}' }, use: { values } })
  expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual([
    ['expression.syntax', '/config/latchExpression'],
    ['config.missing', '/config/resetExpression'],
  ])
  const { app } = await openApplication()
  const payload = { v: 90, id: 'x'.repeat(2_000) }
  const long = await runNode(latch, { config, payload, use: { values: flowValues(app.values, 'f1') } })
  expect(long.error).toMatchObject({ code: 'value.too-large' })
})
