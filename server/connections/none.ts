import type { Connections } from '../../nodes/services/connections.ts'
import { Refusal } from '../../nodes/services/listing.ts'

/** The service where nothing may be connected to: every question is refused as Unavailable, with this reason. */
export function noConnections(reason: string): Connections {
  const refuse = async () => {
    throw new Refusal('Unavailable', reason)
  }
  return { redis: refuse, sql: refuse, mongo: refuse }
}
