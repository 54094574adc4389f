import { beforeEach, describe, expect, test } from 'vitest'
import { readNewResourceJob } from '../../../server/resources/resource-job-fields.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
let job = ''
beforeEach(async () => {
  run = await openRunning()
  const fields = readNewResourceJob({ name: 'Job', resourceType: 'device', defaultContext: '{"from":"job"}' })
  job = (await run.app.collection('resourceJobs').insert(fields)).id
})

type Config = Record<string, unknown>
const contextOf = async (config: Config, payload: Config = {}) => {
  const out = await run.result('ResourceJobExecuteNode', { resourceJobIdTemplate: job, ...config }, payload)
  const { executionId } = out as { executionId: string }
  return (await run.app.collection('resourceExecutions').get(executionId))?.context
}

describe('executing', () => {
  test.each<[Config, Config, Config]>([
    [{}, {}, { from: 'job' }],
    [{ contextTemplateType: 'none', contextTemplate: '{"a":1}' }, {}, { from: 'job' }],
    [{ contextTemplateType: 'jsonTemplate', contextTemplate: '{"a":"{{b}}"}' }, { b: 'c' }, { a: 'c' }],
    [{ contextTemplateType: 'payloadPath', contextTemplate: 'd.e' }, { d: { e: { f: 1 } } }, { f: 1 }],
    [{ contextTemplateType: 'workflowPayload' }, { g: 1 }, { g: 1 }],
  ])('with %o of %o has the context %o', async (config, payload, context) => {
    expect(await contextOf(config, payload)).toEqual(context)
  })

  test('gives the execution, and queues the first look at it with it', async () => {
    const out = await run.result('ResourceJobExecuteNode', { resourceJobIdTemplate: job })
    expect(out).toEqual({ success: true, executionId: expect.stringMatching(/^[0-9a-f]{24}$/) })
    const [queued] = await run.app.collection('jobs').find()
    expect(queued).toMatchObject({ kind: 'resource-job', status: 'queued', input: { executionId: expect.any(String) } })
    expect(await run.app.collection('resourceJobs').get(job)).toMatchObject({ lastExecutionRequested: run.clock.now })
  })

  test.each([
    [{ resourceJobIdTemplate: 'f'.repeat(24) }, 'NotFound'],
    [{ resourceJobIdTemplate: 'x' }, 'NotFound'],
    [{ contextTemplateType: 'payloadPath', contextTemplate: 'list' }, 'Validation'],
  ])('with %o gives an error of type %s', async (config, type) => {
    const settings = { resourceJobIdTemplate: job, ...config }
    expect(await run.result('ResourceJobExecuteNode', settings, { list: [] })).toMatchObject({ error: { type } })
    expect(await run.app.collection('jobs').count()).toBe(0)
  })
})

describe('acknowledging', () => {
  const running = async (settings: object = {}) => {
    await contextOf({})
    const [execution] = await run.app.collection('resourceExecutions').find()
    await run.app.collection('resourceExecutions').update(execution!.id, settings)
    const { now } = run.clock
    const iteration = { executionId: execution!.id, resourceId: 'r', position: 0, attempt: 1, notBefore: 0 }
    const more = { state: 'running' as const, startedAt: now, deadline: now + 60_000 }
    return (await run.app.collection('resourceIterations').insert({ ...iteration, ...more })).id
  }
  const acknowledge = (config: Config, payload: Config) => run.result('ResourceJobAcknowledgeNode', config, payload)

  test.each([
    ['', true],
    ['true', true],
    ['false', false],
    ['{{working.ok}}', true],
    ['{{working.none}}', false],
    ['{{working.n}} > 2', false],
  ])('by the expression "%s" is %s', async (successExpression, success) => {
    const payload = { data: { iterationId: await running() }, working: { ok: 1, n: 2 } }
    expect(await acknowledge({ successExpression }, payload)).toMatchObject({
      ...{ success, startedAt: expect.any(String), completedAt: expect.any(String) },
    })
  })

  test('finds the iteration by another path, from any run', async () => {
    const payload = { data: { query: { iterationId: await running() } } }
    expect(await acknowledge({}, payload)).toMatchObject({ error: { type: 'NotFound' } })
    expect(await acknowledge({ iterationIdPath: 'data.query.iterationId' }, payload)).toMatchObject({ success: true })
    expect(await acknowledge({ iterationIdPath: 'data.query.iterationId' }, payload)).toMatchObject({
      error: { type: 'NotFound' },
    })
  })

  test.each([
    ['payloadPath', 'working.sum', '3'],
    ['jsonTemplate', '{"sum": {{working.sum}} }', '{"sum":3}'],
    ['stringTemplate', '{{working.sum}} in all', '"3 in all"'],
  ])('keeps an accumulator by %s', async (accumulatorMethod, accumulatorValue, accumulator) => {
    const payload = { data: { iterationId: await running() }, working: { sum: 3 } }
    const config = { accumulatorMethod, accumulatorValue, messageTemplate: 'sum {{working.sum}}' }
    expect(await acknowledge(config, payload)).toMatchObject({ success: true, accumulator, message: 'sum 3' })
    expect(await run.app.collection('resourceExecutions').find()).toMatchObject([{ accumulator }])
  })

  test('keeps no accumulator that is too long, or of a job with many iterations at a time', async () => {
    const long = { data: { iterationId: await running() }, working: 'x'.repeat(300) }
    const config = { accumulatorMethod: 'payloadPath', accumulatorValue: 'working' }
    expect(await acknowledge(config, long)).toMatchObject({ error: { type: 'Validation' } })
    await run.app
      .collection('resourceExecutions')
      .remove((await run.app.collection('resourceExecutions').find())[0]!.id)
    const many = { data: { iterationId: await running({ maxIterationConcurrency: 10 }) }, working: 1 }
    expect(await acknowledge(config, many)).not.toHaveProperty('accumulator')
  })
})

describe('the calls of resource jobs', () => {
  const call = (action: string, params: Config = {}, resource = 'resourceJob') =>
    run.result('LosantApiNode', {
      ...{ resource, action, responsePath: 'out' },
      params: Object.entries(params).map(([name, value]) => ({ name, type: 'json', value: JSON.stringify(value) })),
    })

  test('make, change, execute, follow, cancel and delete one', async () => {
    const resourceJob = { name: 'Made', resourceType: 'experienceUser', iterationTimeout: 120_000 }
    const made = (await call('post', { resourceJob }, 'resourceJobs')) as { result: { id: string } }
    const resourceJobId = made.result.id
    expect(made).toMatchObject({ result: { resourceJobId, iterationTimeout: 120_000, retryDelay: 0, queryJson: '{}' } })
    expect(await call('patch', { resourceJobId, resourceJob: { maxIterationConcurrency: 10 } })).toMatchObject({
      result: { maxIterationConcurrency: 10, resourceType: 'experienceUser' },
    })
    const executionOptions = { templateContext: { a: 1 }, queryJson: '{"email":{"$eq":"1"}}' }
    const started = (await call('execute', { resourceJobId, executionOptions })) as { result: { executionId: string } }
    const { executionId } = started.result
    expect(await call('logs', { resourceJobId, limit: 5 })).toMatchObject({
      result: [
        {
          ...{ id: executionId, resourceJobId, status: 'inProgress', templateContext: { a: 1 }, sourceType: 'flow' },
          queryJson: '{"email":{"$eq":"1"}}',
        },
      ],
    })
    expect(await call('cancelExecution', { resourceJobId: job, executionId })).toMatchObject({ error: {} })
    expect(await call('cancelExecution', { resourceJobId, executionId })).toEqual({ result: { success: true } })
    expect(await call('get', {}, 'resourceJobs')).toMatchObject({ result: { totalCount: 2 } })
    expect(await call('delete', { resourceJobId })).toEqual({ result: { success: true } })
    expect(await call('execute', { resourceJobId })).toMatchObject({ error: { statusCode: 404 } })
  })

  test.each([
    [{ name: 'x' }, 'resourceType'],
    [{ name: 'x', resourceType: 'dataTableRow' }, 'dataTableId'],
    [{ name: 'x', resourceType: 'device', maxIterationConcurrency: 2 }, 'maxIterationConcurrency'],
    [{ name: 'x', resourceType: 'device', iterationTimeout: 59_999 }, 'iterationTimeout'],
    [{ name: 'x', resourceType: 'device', iterationTimeout: 900_001 }, 'iterationTimeout'],
    [{ name: 'x', resourceType: 'device', iterationDelay: 60_001 }, 'iterationDelay'],
    [{ name: 'x', resourceType: 'device', retryDelay: -1 }, 'retryDelay'],
    [{ name: 'x', resourceType: 'device', maxIterationRetries: 0 }, 'maxIterationRetries'],
    [{ name: 'x', resourceType: 'device', defaultContext: '[]' }, 'defaultContext'],
  ])('refuse %o for its %s', async (resourceJob, field) => {
    expect(await call('post', { resourceJob }, 'resourceJobs')).toMatchObject({
      error: { statusCode: 400, message: expect.stringContaining(field) },
    })
  })
})
