import { parseArgs } from 'node:util'
import { Refusal } from '../../nodes/services/listing.ts'
import { ConfigError, readConfig } from '../config.ts'
import { credentialType, soleField } from '../resources/credential-fields.ts'
import { openCredentials } from '../resources/credentials.ts'
import { openSealer } from '../seal.ts'
import { openStore } from '../store/open.ts'
import { findApplication } from './find-application.ts'
import type { CommandIo } from './io.ts'

const usage = 'Expected credential set APP NAME TYPE, credential list APP or credential remove APP NAME'

/**
 * `credential set APP NAME TYPE`: keeps the settings that come from standard input, as JSON or, where the type has but one, as they
 * are. `credential list APP`, `credential remove APP NAME`. No secret is ever shown. Throws ConfigError.
 */
export async function credentialCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
  const [action, application, name, type] = positionals
  const counts: Record<string, number> = { set: 4, list: 2, remove: 3 }
  if (action === undefined || !Object.hasOwn(counts, action) || positionals.length !== counts[action]) {
    throw new ConfigError(usage)
  }
  const config = readConfig(io.env)
  const store = await openStore(config.storeUrl, config.storeFile)
  try {
    const { scope } = await findApplication(store, application!)
    const credentials = openCredentials({ app: store.app(scope), sealer: openSealer(config.secretKey) })
    if (action === 'list') {
      for (const one of await credentials.list()) io.out(`${one.name}\t${one.type}\t${JSON.stringify(one.settings)}`)
    } else if (action === 'remove') {
      if (!(await credentials.remove(name!))) throw new ConfigError(`Expected the name of a credential, got "${name}"`)
      io.out(`Removed "${name}"`)
    } else {
      const known = credentialType(type!)
      const settings = settingsOf(await (io.input ?? readInput)(), soleField(known))
      await credentials.set({ name: name!, type: known, settings })
      io.out(`Stored "${name}"`)
    }
    return 0
  } catch (error) {
    if (error instanceof Refusal) throw new ConfigError(error.message)
    throw error
  } finally {
    await store.close()
  }
}

// What was given is never repeated: it is a secret.
function settingsOf(text: string, sole: string | undefined): unknown {
  const given = text.trim()
  if (sole !== undefined && given !== '' && !given.startsWith('{')) return { [sole]: given }
  try {
    return JSON.parse(given)
  } catch {
    throw new ConfigError(
      'Expected the settings as JSON on standard input, such as {"apiKey":"..."}, got something else',
    )
  }
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
