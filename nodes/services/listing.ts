/** A refused action on a resource, worded for the author: nodes put it at their result path as `{ error }`. */
export class Refusal extends Error {
  readonly type: 'NotFound' | 'Validation' | 'AlreadyExists' | 'RateLimit' | 'Unavailable' | 'Unauthorized'
  constructor(type: Refusal['type'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'Refusal'
    this.type = type
  }
}

/** A pair to match or to set; a side left out is a wildcard where pairs are matched, a removal where they are set. */
export interface TagPair {
  key?: string
  value?: string
}

export interface PageRequest {
  /** Zero-based; default 0. */
  page?: number
  /** Default 100, most 1000; 0 gives no items but the right total. */
  perPage?: number
  sortField?: string
  sortDirection?: 'asc' | 'desc'
  /** Nobody reads `totalCount`: it may then be only the number of items up to this page, which is much faster for large sets. */
  withoutCount?: boolean
}

export interface Listing<T> {
  items: T[]
  count: number
  totalCount: number
  page: number
  perPage: number
  sortField: string
  sortDirection: 'asc' | 'desc'
}
