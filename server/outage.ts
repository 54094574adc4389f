import { HttpError } from './errors.ts'
import { StoreError } from './store/port.ts'

/** Seconds after which a client may ask again. */
const RETRY_AFTER = '5'

/** What a caller is told of a failure of the store that goes by, or that the operator must mend; undefined for others. */
export function storeFailure(error: unknown): HttpError | undefined {
  if (!(error instanceof StoreError)) return undefined
  const headers = { 'retry-after': RETRY_AFTER }
  if (error.code === 'unavailable') {
    return new HttpError('store.unavailable', 'The data cannot be reached now. Try again in a moment', {
      ...{ cause: error, headers },
    })
  }
  if (error.code !== 'full') return undefined
  return new HttpError('store.full', 'There is no room to keep more data. Tell who runs this server', {
    cause: error,
    headers,
  })
}
