import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { openHosts } from '../experience/host.ts'
import type { Plans } from '../flows/plans.ts'
import type { Queue } from '../jobs/port.ts'
import type { Store } from '../store/port.ts'
import { openDelivery } from './deliver.ts'
import { openMailReader } from './reader.ts'
import type { Receiver } from './receiver.ts'

/** The receiver of mails that the settings ask for; undefined: none. Workers have none. Throws ConfigError when the address is taken. */
export async function openReceiverOf(
  { inboundSmtpPort: port, inboundMailDomain: domain, host, baseDomain, role }: Config,
  given: { store: Store; plans: Plans; queue: Queue; now(): number; log: Logger },
): Promise<Receiver | undefined> {
  if (port === undefined || role === 'worker') return undefined
  const { application } = openHosts({ store: given.store, baseDomain, now: given.now })
  // Loaded when it is asked for: most servers have none.
  const { openReceiver } = await import('./receiver.ts')
  return await openReceiver({
    ...{ host, port, domain, application, now: given.now, log: given.log },
    delivery: openDelivery(given),
    reader: openMailReader(),
  })
}
