import type { Services } from '../nodes/services.ts'
import { withOwn } from './lazy-object.ts'
import { openCredentials } from './resources/credentials.ts'
import { openSealer } from './seal.ts'
import type { AppStore } from './store/port.ts'

/** Gives runs, and the custom nodes that they call, the credentials of their application. */
export function openCredentialServices(secretKey: string): (services: Services, app: AppStore) => Services {
  const sealer = openSealer(secretKey)
  return (services, app) => {
    const credentials = openCredentials({ app, sealer })
    const placed = new WeakSet<object>()
    const join = (own: Services): Services =>
      withOwn(own, {
        credentials,
        customNodes: {
          find(wanted) {
            // Each place of a custom node keeps its services for as long as the run goes on.
            const found = own.customNodes.find(wanted)
            if (!placed.has(found)) {
              found.services = join(found.services as unknown as Services) as unknown as typeof found.services
              placed.add(found)
            }
            return found
          },
        },
      })
    return join(services)
  }
}
