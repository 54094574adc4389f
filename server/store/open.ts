import type { Store } from './port.ts'
import { openSqlite } from './sqlite.ts'

/**
 * The store that STORE_URL names: MongoDB for `mongodb://` and `mongodb+srv://`; without a URL the embedded one in `file`. Throws
 * StoreError `unavailable`, in one line without the URL, for any other URL and for a store that cannot be opened.
 */
export async function openStore(url: string | undefined, file: string): Promise<Store> {
  if (url === undefined || url === '') return openSqlite({ file })
  // Loaded when it is asked for: the driver is large.
  const { openMongo } = await import('./mongo.ts')
  return openMongo({ url })
}
