import { parseArgs } from 'node:util'
import { Refusal } from '../../nodes/services/listing.ts'
import { ConfigError, readConfig } from '../config.ts'
import { openAccessKeys } from '../resources/access-keys.ts'
import { openStore } from '../store/open.ts'
import { findApplication } from './find-application.ts'
import type { CommandIo } from './io.ts'

/**
 * `key APP [DEVICE]`: makes an access key for one device (its id or name), or for all of the application, and prints it with its
 * secret, which is never shown again. Throws ConfigError.
 */
export async function keyCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
  const [name, wanted] = positionals
  if (name === undefined || positionals.length > 2) throw new ConfigError('Expected an application: key APP [DEVICE]')
  const config = readConfig(io.env)
  const store = await openStore(config.storeUrl, config.storeFile)
  try {
    const { scope } = await findApplication(store, name)
    const app = store.app(scope)
    const device = wanted === undefined ? undefined : await deviceOf(wanted, app.collection('devices'))
    const made = await openAccessKeys(app).create(device ? { name: device.name, deviceIds: [device.id] } : {})
    io.out(`client id  ${device?.id ?? 'the id of the device'}`)
    io.out(`user name  ${made.key}`)
    io.out(`password   ${made.secret}`)
    io.err('The password is shown only now.')
    return 0
  } catch (error) {
    if (error instanceof Refusal) throw new ConfigError(error.message)
    throw error
  } finally {
    await store.close()
  }
}

interface Found {
  id: string
  name: string
}

async function deviceOf(
  wanted: string,
  devices: {
    get(id: string): Promise<Found | undefined>
    find(query: object): Promise<Found[]>
  },
): Promise<Found> {
  const byId = await devices.get(wanted.toLowerCase())
  if (byId) return byId
  const [found, another] = await devices.find({ filter: { field: 'name', op: 'eq', value: wanted }, limit: 2 })
  if (found === undefined) throw new ConfigError(`Expected the id or name of a device, got "${wanted}"`)
  if (another) throw new ConfigError(`Expected a name that one device has, got "${wanted}". Give its id.`)
  return found
}
