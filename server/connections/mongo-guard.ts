import type { MongoClient } from 'mongodb'
import { Refusal } from '../../nodes/services/listing.ts'
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

// Nothing else: the driver reads an address as a URL, in which a host may hide behind a user, or as the path of a socket.
const addressPattern = /^(?:(?<name>[\w.-]+)|\[(?<ip>[\da-f:.]+)\])(?::\d+)?$/i

/** What the driver has inside, and does not publish: where it takes in what a server says of itself and of the others of its set. */
interface Topology {
  serverUpdateHandler(description: Record<'hosts' | 'passives' | 'arbiters', string[]>): void
}

/**
 * Keeps the client from addresses that are not open. It looks names up itself, through the guard; what is left are addresses, given as such
 * by the URI or by a server that tells of the others of its set: of those it never hears. Throws Refusal for the URI.
 */
export function guardDiscovery(client: MongoClient, guard: Guard): void {
  const isOpen = (address: string) => {
    const { name, ip } = addressPattern.exec(address)?.groups ?? {}
    const host = name ?? ip
    return host !== undefined && !/\.sock$/i.test(host) && guard.opensHost(host)
  }
  const refused = client.options.hosts.map(String).find((address) => !isOpen(address))
  if (refused !== undefined) {
    throw new Refusal('Unavailable', 'MongoDB cannot be reached: its address is not on the public internet')
  }
  // Before the first connection. A driver without this method fails here, rather than go unguarded.
  client.on('topologyOpening', () => {
    const { topology } = client as unknown as { topology: Topology }
    const update = topology.serverUpdateHandler.bind(topology)
    topology.serverUpdateHandler = (description) => {
      for (const list of ['hosts', 'passives', 'arbiters'] as const) {
        description[list] = description[list].filter(isOpen)
      }
      update(description)
    }
  })
}
