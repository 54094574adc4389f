import type { MongoClient } from 'mongodb'
import { Refusal } from '../../nodes/services.ts'
import type { Guard } from '../egress-guard.ts'

// Others make the driver read files, ask the machine for its own identity, or go through a proxy.
const allowed = new Set([
  ...[
    'authmechanism',
    'authsource',
    'directconnection',
    'journal',
    'loadbalanced',
    'maxstalenessseconds',
    'readconcernlevel',
  ],
  ...[
    'readpreference',
    'readpreferencetags',
    'replicaset',
    'retryreads',
    'retrywrites',
    'ssl',
    'tls',
    'w',
    'wtimeoutms',
  ],
  ...['tlsallowinvalidcertificates', 'tlsallowinvalidhostnames', 'tlsinsecure', 'appname', 'srvmaxhosts'],
])

const mechanisms = new Set(['DEFAULT', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN'])

/** Throws Refusal for a URI with options that reach beyond the connection. Never tells the URI: it holds a password. */
export function checkMongoUri(text: string): void {
  const uri = text.trim()
  // Characters that a URL parser leaves out would hide the name of an option.
  if (!/^mongodb(\+srv)?:\/\/[^\s\p{Cc}]+$/u.test(uri)) {
    throw new Refusal(
      'Validation',
      'Expected an address like mongodb://user:password@host/database, got something else',
    )
  }
  const at = uri.indexOf('?')
  const options = new URLSearchParams(at === -1 ? '' : uri.slice(at + 1))
  for (const [name, value] of options) {
    if (!allowed.has(name.toLowerCase())) {
      throw new Refusal(
        'Validation',
        `Expected no option "${name.slice(0, 50)}" in the address of MongoDB: it is not supported here`,
      )
    }
    if (name.toLowerCase() === 'authmechanism' && !mechanisms.has(value)) {
      throw new Refusal('Validation', `Expected an authentication such as SCRAM-SHA-256, got "${value.slice(0, 50)}"`)
    }
  }
}

interface Topology {
  s?: { description?: { servers?: Map<string, unknown> } }
}

/**
 * Keeps the client from addresses that are not open. It looks names up itself, through the guard; what is left are addresses, given as such
 * by the URI or by a server that tells of the others of its set: those are taken out of what is known before a connection is made.
 * Throws Refusal for the URI.
 */
export function guardDiscovery(client: MongoClient, guard: Guard): void {
  const isOpen = (address: string) => {
    const host = decodeURIComponent(address)
      .replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '')
    return !host.includes('/') && !host.endsWith('.sock') && guard.opensHost(host)
  }
  const refused = client.options.hosts.map(String).find((address) => !isOpen(address))
  if (refused !== undefined) {
    throw new Refusal('Unavailable', 'MongoDB cannot be reached: its address is not on the public internet')
  }
  client.on('serverDescriptionChanged', () => {
    const { topology } = client as unknown as { topology?: Topology }
    const servers = topology?.s?.description?.servers
    for (const address of servers?.keys() ?? []) if (!isOpen(address)) servers!.delete(address)
  })
}
