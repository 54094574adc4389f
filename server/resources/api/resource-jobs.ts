import { executionData } from '../../flows/resource-job-triggers.ts'
import type { ResourceExecutionDocument, ResourceJobDocument } from '../../store/documents/jobs.ts'
import { isoOf } from '../listing.ts'
import { readNewResourceJob, readResourceJobPatch } from '../resource-job-fields.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, number, success } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

const mostLogs = 100

export const resourceJobs: Calls = {
  get: call(listParams, async (world, params) => {
    return await listOf(world, 'resourceJobs', {
      ...{ asked: params, filters: ['name', 'resourceType'] },
      sortFields: { ...commonSort, lastExecutionRequested: 'lastExecutionRequested', resourceType: 'resourceType' },
      view: (document) => viewOf(world, document),
    })
  }),
  post: call({ resourceJob: body }, async (world, { resourceJob }) => {
    const fields = readNewResourceJob(needed(resourceJob, 'resourceJob'))
    return viewOf(world, await world.app.collection('resourceJobs').insert(fields))
  }),
}

export const resourceJob: Calls = {
  get: call({ resourceJobId: anId }, async (world, params) => viewOf(world, await existing(world, params))),
  patch: call({ resourceJobId: anId, resourceJob: body }, async (world, params) => {
    const change = readResourceJobPatch(needed(params.resourceJob, 'resourceJob'))
    const { id } = await existing(world, params)
    return viewOf(world, await refusing(world.app.collection('resourceJobs').update(id, change), ''))
  }),
  delete: call({ resourceJobId: anId }, async (world, params) => {
    await world.app.collection('resourceJobs').remove((await existing(world, params)).id)
    return success
  }),
  execute: call({ resourceJobId: anId, executionOptions: body }, async (world, params) => {
    const { templateContext, queryJson, dataTableId } = params.executionOptions ?? {}
    return await world.resourceJobs.execute({
      jobId: (await existing(world, params)).id,
      ...(templateContext === undefined ? {} : { context: templateContext }),
      ...(typeof queryJson === 'string' ? { queryJson } : {}),
      ...(typeof dataTableId === 'string' ? { dataTableId } : {}),
    })
  }),
  cancelExecution: call({ resourceJobId: anId, executionId: anId }, async (world, params) => {
    const { id } = await existing(world, params)
    await world.resourceJobs.cancel(id, needed(params.executionId, 'executionId'))
    return success
  }),
  logs: call({ resourceJobId: anId, limit: number }, async (world, { limit = 1, ...params }) => {
    const { id } = await existing(world, params)
    const logs = await world.resourceJobs.logs(id, Math.min(Math.max(Math.trunc(limit), 1), mostLogs))
    return logs.map((execution) => logOf(world, execution))
  }),
}

async function existing({ app }: ApiWorld, { resourceJobId }: { resourceJobId?: string }) {
  return found(await app.collection('resourceJobs').get(needed(resourceJobId, 'resourceJobId')), 'Resource job')
}

function viewOf(world: ApiWorld, document: ResourceJobDocument) {
  const { id, revision: _, creationDate, lastUpdated, lastExecutionRequested: last, ...fields } = document
  return {
    ...{ id, resourceJobId: id, applicationId: world.app.scope.application, ...fields },
    ...(last === undefined ? {} : { lastExecutionRequested: isoOf(last) }),
    ...{ creationDate: isoOf(creationDate), lastUpdated: isoOf(lastUpdated) },
  }
}

function logOf(world: ApiWorld, execution: ResourceExecutionDocument) {
  const { id, jobId, resourceType, query, accumulator, sourceType, sourceId } = execution
  const { cancelSourceType, cancelSourceId, iterationDelay, iterationTimeout, maxIterationConcurrency } = execution
  const { retryOnTimeout, retryOnFailure, maxIterationRetries, retryDelay } = execution
  const { context: templateContext, id: _id, resourceJobId: _job, ...data } = executionData(execution)
  return {
    ...{ id, resourceJobExecutionId: id, resourceJobId: jobId, applicationId: world.app.scope.application },
    ...{ resourceType, ...data, accumulator, queryJson: JSON.stringify(query), templateContext },
    ...{ sourceType, sourceId, cancelSourceType, cancelSourceId, iterationDelay, iterationTimeout },
    ...{ maxIterationConcurrency, retryOnTimeout, retryOnFailure, maxIterationRetries, retryDelay },
  }
}
