import type { HostUrls } from './references.ts'

/** Puts placeholders in the place of ids and hosts: the reverse of a substitution. */
export interface Unsubstitution {
  text(source: string): string
  value<T>(value: T): T
}

/** `ids`: id to placeholder; `secrets`: texts that no export may hold. Only hosts that can be told from other text are turned back. */
export function unsubstitution(
  ids: ReadonlyMap<string, string>,
  at: { application: string; secrets?: ReadonlyMap<string, string>; hostUrls?: HostUrls },
): Unsubstitution {
  const hosts = at.hostUrls ? hostPatterns(at.hostUrls, at.application) : []
  const text = (source: string) => {
    let result = source
    // First: an id may be part of them.
    for (const [secret, placeholder] of at.secrets ?? []) result = result.replaceAll(secret, placeholder)
    for (const [url, placeholder] of hosts) result = result.replaceAll(url, placeholder)
    return result.replace(/(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])/g, (id) => ids.get(id) ?? id)
  }
  const value = (one: unknown): unknown => {
    if (typeof one === 'string') return text(one)
    if (Array.isArray(one)) return one.map(value)
    if (one === null || typeof one !== 'object') return one
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, value(inner)]))
  }
  return { text, value: <T>(one: T) => value(one) as T }
}

function hostPatterns(urls: HostUrls, application: string): [url: string, placeholder: string][] {
  const host = (name: keyof HostUrls, label = '') => `https://${label}~exportplaceholderid-${name}~`
  const [scheme, rest] = urls['endpoint-domain'].split('://') as [string, string]
  return [
    [`${urls['files-domain']}/${application}/`, `${host('files-domain')}/${application}/`],
    [`${urls['triggers-url']}/webhooks/`, `${host('triggers-url')}/webhooks/`],
    [`${urls['app-url']}/applications/`, `${host('app-url')}/applications/`],
    [`${urls['app-url']}/dashboards/`, `${host('app-url')}/dashboards/`],
    [`${scheme}://${application}.${rest}`, host('endpoint-domain', `${application}.`)],
    [`${urls['docs-url']}/`, `${host('docs-url')}/`],
  ]
}
