import type { Bundle, Resource } from './read.ts'

/** The kinds of host that texts of the format name without knowing them. */
export const hostTokens = [
  'files-domain',
  'docs-url',
  'app-url',
  'triggers-url',
  'broker-url',
  'endpoint-domain',
] as const

/** Where those hosts are, as URLs with scheme and port and without a slash at the end. */
export type HostUrls = Record<(typeof hostTokens)[number], string>

/** True for a text that can stand for the id of a resource: a placeholder or an id of 24 hex characters. */
export function isReference(value: unknown): value is string {
  return typeof value === 'string' && /^(?:~exportplaceholderid-[^~]+~|[0-9a-f]{24})$/.test(value)
}

/** A text that stands for an id in the bundle, and the word for what it stands for. */
export interface Declaration {
  token: string
  /** The TYPE of the placeholder: device, flow, ... */
  type: string
  /** Undefined for what no resource declares: flows that only their versions name, tokens of webhooks. */
  resource?: Resource
}

/** Everything that gets an id: what resources declare, and what the format leaves implicit. Each token once. */
export function declarationsOf(bundle: Bundle): Map<string, Declaration> {
  const found = new Map<string, Declaration>()
  const add = (one: Declaration) => {
    if (!found.has(one.token)) found.set(one.token, one)
  }
  for (const resource of bundle.resources) {
    const { id } = resource.value
    if (isReference(id)) add({ token: id, type: resource.kind.token, resource })
  }
  for (const { kind, value } of bundle.resources) {
    if (kind.name === 'ExperienceFlowVersion' && isReference(value.flowId)) add({ token: value.flowId, type: 'flow' })
    if (kind.name === 'Webhook' && isReference(value.token)) add({ token: value.token, type: 'webhookToken' })
  }
  return found
}

/** The placeholders in a text, in order, with repetitions. */
export function placeholdersIn(source: string): string[] {
  return source.includes('~exportplaceholderid-') ? (source.match(placeholder) ?? []) : []
}

/** True for the placeholder of a host. */
export function isHost(token: string): boolean {
  return hostTokens.some((host) => token === `~exportplaceholderid-${host}~`)
}

/** Puts ids and hosts in the place of placeholders, wherever they stand in a text or in the texts of a JSON value. */
export interface Substitution {
  text(source: string): string
  value<T>(value: T): T
}

/** `ids`: token to id. A placeholder that is not among them stays as it is. */
export function substitution(ids: ReadonlyMap<string, string>, hosts: HostUrls): Substitution {
  const plainIds = [...ids.keys()].some((token) => !token.startsWith('~'))
  const replaceText = (source: string) => {
    const known = source.replace(placeholder, (token) => ids.get(token) ?? token)
    const raw = plainIds ? known.replace(/\b[0-9a-f]{24}\b/g, (id) => ids.get(id) ?? id) : known
    return raw.includes('~exportplaceholderid-') ? replaceHosts(raw, hosts) : raw
  }
  const replaceValue = (value: unknown): unknown => {
    if (typeof value === 'string') return replaceText(value)
    if (value === null || typeof value !== 'object') return value
    if (Array.isArray(value)) return value.map(replaceValue)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaceValue(one)]))
  }
  return { text: replaceText, value: <T>(value: T) => replaceValue(value) as T }
}

/** Calls `visit` with every text in a JSON value and the pointer to it. */
export function eachText(value: unknown, pointer: string, visit: (source: string, pointer: string) => void): void {
  if (typeof value === 'string') visit(value, pointer)
  else if (value !== null && typeof value === 'object') {
    for (const [key, one] of Object.entries(value)) {
      eachText(one, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, visit)
    }
  }
}

const placeholder = /~exportplaceholderid-[^~]+~/g

// The scheme in front of a host, and the label of a sub-domain, are replaced along with it: ours may be plain http.
const names = hostTokens.join('|')
const schemed = new RegExp(`https://((?:[^\\s/"'<>.]{1,255}\\.)?)~exportplaceholderid-(${names})~`, 'g')
const bare = new RegExp(`~exportplaceholderid-(${names})~`, 'g')

function replaceHosts(source: string, hosts: HostUrls): string {
  return source
    .replace(schemed, (_match, label: string, name: keyof HostUrls) => {
      const [, scheme = 'https://', rest] = /^([a-z]+:\/\/)?(.*)$/.exec(hosts[name])!
      return `${scheme}${label}${rest}`
    })
    .replace(bare, (_match, name: keyof HostUrls) => hosts[name].replace(/^[a-z]+:\/\//, ''))
}
