import type { Payload } from '../../engine/payload.ts'
import type { Listing, PageRequest } from './listing.ts'

/** An event as flows see it (reference/nodes-data.md 6). */
export type EventView = Payload & { id: string; subject: string }

export type EventCriteria = { by: 'id'; id: string } | { by: 'query'; query: unknown }

export interface Events {
  /** Newest first by default. Throws Refusal for a query that is not valid. */
  find(criteria: EventCriteria, page: PageRequest): Promise<Listing<EventView>>
  /**
   * `body`: level, subject, state?, message?, deviceId?, data?, eventTags?, creationDate?, disableTagChangeTracking?. Fires event
   * triggers. Throws Refusal.
   */
  create(body: Payload): Promise<EventView>
  /**
   * Appends one entry to `updates`, in which `data` and `comment` stand; at most 1,000 are kept. `eventTags` are merged: one without
   * value is removed. Fires event triggers. Throws Refusal.
   */
  update(id: string, patch: Payload & { comment?: string }): Promise<EventView>
  /** Gives the number removed, at most 10,000: call again for more. Throws Refusal for a query that is not valid. */
  remove(criteria: EventCriteria): Promise<number>
}
