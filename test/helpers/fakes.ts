import type { Listing } from '../../nodes/services/listing.ts'

/** A listing with the given items, as the services of tests answer. */
export function listingOf<T>(items: T[], totalCount = items.length): Listing<T> {
  const page = { page: 0, perPage: 100, sortField: 'name', sortDirection: 'asc' as const }
  return { items, count: items.length, totalCount, ...page }
}

/** A method that notes the arguments of each call and answers always the same; an Error is thrown instead. */
export function noting<A extends unknown[], R>(answer: R | Error): { calls: A[]; method: (...args: A) => Promise<R> } {
  const calls: A[] = []
  const method = async (...args: A) => {
    calls.push(args)
    if (answer instanceof Error) throw answer
    return answer
  }
  return { calls, method }
}
