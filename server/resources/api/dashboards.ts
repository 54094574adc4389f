import { type Calls, call } from './call.ts'
import { answerOf, listParams, pageOf } from './lists.ts'

/** There are no dashboards here, and a list of them says so: flows that look for one by name find none, and go on. */
export const dashboards: Calls = {
  get: call(listParams, async (world, params) => {
    const { page = 0, perPage = 100, sortField = 'name', sortDirection = 'asc' } = pageOf(params)
    const none = { items: [], count: 0, totalCount: 0, page, perPage, sortField, sortDirection }
    return answerOf(none, world, params)
  }),
}
