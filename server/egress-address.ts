import ipaddr from 'ipaddr.js'

// Addresses that are public by their range, but answer for the machine that this server runs on.
const cloudAddresses = new Set(['168.63.129.16'])

const globalIpv6 = ipaddr.parseCIDR('2000::/3')

/**
 * True for an address that anyone on the internet can reach: not this machine, not a private or link-local network, no
 * cloud metadata, and no IPv6 address that stands for an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || cloudAddresses.has(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || (parsed as ipaddr.IPv6).match(globalIpv6 as [ipaddr.IPv6, number])
}

/**
 * True when an address or host name is in a list of exceptions: addresses, networks such as `10.1.0.0/16`, host names, `*` for all.
 * Throws for an entry that is none of these.
 */
export function openExceptions(entries: readonly string[]): {
  hasHost(name: string): boolean
  hasAddress(address: string): boolean
} {
  const all = entries.includes('*')
  const hosts = new Set<string>()
  const networks: [ipaddr.IPv4 | ipaddr.IPv6, number][] = []
  for (const entry of entries.map((one) => one.trim().toLowerCase())) {
    if (entry === '*') continue
    if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry))
    else if (ipaddr.isValid(entry)) {
      const address = ipaddr.parse(entry)
      networks.push([address, address.kind() === 'ipv4' ? 32 : 128])
    } else if (/^[a-z0-9_.-]+$/.test(entry)) hosts.add(entry)
    else throw new Error(`Expected an address, a network such as 10.1.0.0/16 or a host name, got "${entry}"`)
  }
  return {
    hasHost: (name) => all || hosts.has(name.toLowerCase()),
    hasAddress(address) {
      if (!ipaddr.isValid(address)) return false
      const parsed = ipaddr.parse(address)
      return networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
    },
  }
}

/** The host name of a URL; an IPv6 address without its brackets. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}
