import type { DeviceSelection } from '../jobs/resource-export-document.ts'
import type { AppStore, Filter } from '../store/port.ts'
import { openTenancy } from '../tenancy/rule.ts'
import { filterOf } from './devices.ts'
import { eventFilter } from './events.ts'
import { tagFilter } from './listing.ts'

/** The devices that are selected: by the query, where there is one, else those with one of the ids or one of the tags. Throws Refusal. */
export async function selectedDevices(app: AppStore, { ids, tags, query }: DeviceSelection): Promise<Filter> {
  if (query !== undefined) return await queriedDevices(app, query)
  return {
    any: [
      ...(ids === undefined ? [] : [{ field: 'id', op: 'in' as const, value: ids }]),
      ...(tags === undefined ? [] : [tagFilter('tags', tags, 'any')]),
    ],
  }
}

/** Throws Refusal. */
export async function queriedDevices(app: AppStore, query: unknown): Promise<Filter> {
  return await filterOf({ by: 'query', query }, openTenancy(app))
}

/** Throws Refusal. */
export async function queriedEvents(app: AppStore, query: unknown): Promise<Filter> {
  return await eventFilter(app, openTenancy(app), query)
}
