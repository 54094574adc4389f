import type { Config } from '../config.ts'
import { openHosts } from '../experience/host.ts'
import { type Broker, type BrokerDeps, openBroker } from './broker.ts'

/** The broker that the settings ask for; undefined: none. Workers have none. Throws ConfigError when the address is taken. */
export async function openBrokerOf(
  config: Config,
  given: Omit<BrokerDeps, 'host' | 'port' | 'limits' | 'application' | 'alone'>,
): Promise<Broker | undefined> {
  const {
    mqttPort: port,
    host,
    baseDomain,
    role,
    storeUrl,
    mqttConnections: connections,
    mqttMessages: messages,
  } = config
  if (port === undefined || role === 'worker') return undefined
  const { application } = openHosts({ store: given.store, baseDomain, now: given.now })
  return await openBroker({
    ...given,
    host,
    port,
    application,
    alone: storeUrl === undefined,
    limits: { connections, messages },
  })
}
