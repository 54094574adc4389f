import { HttpError } from '../errors.ts'

/** Finds the entry for a method and path: most specific first, whatever order the routes were made in. */
export interface Router<T> {
  /** Undefined when no route fits. HEAD is served by GET. Throws HttpError `request.path`. */
  match(method: string, path: string): { value: T; params: Record<string, string> } | undefined
}

/** A route as its endpoint writes it. */
export interface RouteOf {
  method: string
  route: string
}

/** A segment is a literal (text), a mix of literals and parameters, one parameter, or a parameter at the end of the route. */
type Segment =
  | { kind: 'literal'; text: string }
  /** Literals and names in turn; literals stand at the even places and may be empty at both ends only. */
  | { kind: 'mixed'; parts: string[] }
  | { kind: 'param' | 'optional' | 'rest'; name: string }

interface Leaf<T> {
  value: T
  names: string[]
}

interface Node<T> {
  literals: Map<string, Node<T>>
  mixed: { parts: string[]; node: Node<T> }[]
  param?: Node<T>
  leaf?: Leaf<T>
  optional?: Leaf<T>
  rest?: Leaf<T>
}

/** Builds a router. Routes that cannot be read are left out, and of two that conflict the first is kept: see `routeConflicts`. */
export function compileRouter<T extends RouteOf>(entries: readonly T[]): Router<T> {
  const roots = new Map<string, Node<T>>()
  for (const entry of entries) {
    const segments = parseRoute(entry.route)
    if (typeof segments === 'string') continue
    const method = entry.method.toLowerCase()
    if (!roots.has(method)) roots.set(method, emptyNode())
    insert(roots.get(method)!, segments, entry)
  }
  return {
    match(method, path) {
      const root = roots.get(method === 'head' ? 'get' : method)
      const segments = splitPath(path)
      return root && walk(root, segments, 0, [])
    },
  }
}

export interface RouteProblem<T> {
  code: 'route.syntax' | 'route.conflict'
  message: string
  /** One endpoint, or the two that conflict. */
  endpoints: T[]
}

/** Every route that cannot be read, and every pair of one method that fits the same requests with equal rank. */
export function routeConflicts<T extends RouteOf>(endpoints: readonly T[]): RouteProblem<T>[] {
  const problems: RouteProblem<T>[] = []
  const seen = new Map<string, T>()
  for (const endpoint of endpoints) {
    const segments = parseRoute(endpoint.route)
    if (typeof segments === 'string') {
      problems.push({ code: 'route.syntax', message: segments, endpoints: [endpoint] })
      continue
    }
    for (const shape of shapesOf(segments)) {
      const key = `${endpoint.method.toLowerCase()} ${shape}`
      const other = seen.get(key)
      if (other === undefined) seen.set(key, endpoint)
      else if (other !== endpoint) {
        const message = `Expected one route for each request, but ${endpoint.method} ${endpoint.route} and ${other.route} fit the same paths. Change or remove one.`
        problems.push({ code: 'route.conflict', message, endpoints: [other, endpoint] })
        break
      }
    }
  }
  return problems
}

// What a route is but for the names of its parameters; an optional one also stands for the route without it.
function shapesOf(segments: readonly Segment[]): string[] {
  const shape = segments.map((segment) => {
    if (segment.kind === 'literal') return `/${segment.text}`
    if (segment.kind === 'mixed') return `/${segment.parts.map((part, i) => (i % 2 ? '{}' : part)).join('')}`
    return { param: '/{}', optional: '/{?}', rest: '/{*}' }[segment.kind]
  })
  const shapes = [shape.join('')]
  if (segments.at(-1)?.kind === 'optional') shapes.push(shape.slice(0, -1).join(''))
  return shapes
}

function insert<T>(root: Node<T>, segments: readonly Segment[], value: T): void {
  const names: string[] = []
  let node = root
  for (const segment of segments) {
    if (segment.kind === 'literal') {
      if (!node.literals.has(segment.text)) node.literals.set(segment.text, emptyNode())
      node = node.literals.get(segment.text)!
    } else if (segment.kind === 'mixed') {
      names.push(...segment.parts.filter((_, i) => i % 2 === 1))
      const parts = segment.parts.map((part, i) => (i % 2 ? '' : part))
      let branch = node.mixed.find((one) => one.parts.join('\0') === parts.join('\0'))
      if (!branch) {
        branch = { parts, node: emptyNode() }
        node.mixed.push(branch)
        node.mixed.sort(byLiterals)
      }
      node = branch.node
    } else {
      names.push(segment.name)
      if (segment.kind === 'param') node = node.param ??= emptyNode()
      else {
        node[segment.kind] ??= { value, names }
        return
      }
    }
  }
  node.leaf ??= { value, names }
}

// Each node of the tree is entered at most once, so that a path costs no more than the table is large.
function walk<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  values: string[],
): { value: T; params: Record<string, string> } | undefined {
  if (at === segments.length) {
    const leaf = node.leaf ?? node.optional
    return leaf ? found(leaf, values) : node.rest && found(node.rest, [...values, ''])
  }
  const text = segments[at]!
  const literal = node.literals.get(text)
  const exact = literal && walk(literal, segments, at + 1, values)
  if (exact) return exact
  for (const { parts, node: next } of node.mixed) {
    const taken = takeMixed(parts, text)
    const match = taken && walk(next, segments, at + 1, [...values, ...taken])
    if (match) return match
  }
  if (text !== '') {
    const match = node.param && walk(node.param, segments, at + 1, [...values, text])
    if (match) return match
    if (node.optional && at === segments.length - 1) return found(node.optional, [...values, text])
  }
  return node.rest && found(node.rest, [...values, segments.slice(at).join('/')])
}

function found<T>(leaf: Leaf<T>, values: readonly string[]): { value: T; params: Record<string, string> } {
  const params: Record<string, string> = {}
  for (let i = 0; i < values.length; i++) params[leaf.names[i]!] = values[i]!
  return { value: leaf.value, params }
}

// Between two literals a parameter takes as little as it can; none is empty. Linear in the text for each literal.
function takeMixed(parts: readonly string[], text: string): string[] | undefined {
  const last = parts.at(-1)!
  if (!text.startsWith(parts[0]!)) return undefined
  const values: string[] = []
  let at = parts[0]!.length
  for (let i = 2; i < parts.length; i += 2) {
    const end = i === parts.length - 1 ? text.length - last.length : text.indexOf(parts[i]!, at + 1)
    if (end <= at || (i === parts.length - 1 && !text.endsWith(last))) return undefined
    values.push(text.slice(at, end))
    at = end + parts[i]!.length
  }
  return values
}

function byLiterals(a: { parts: string[] }, b: { parts: string[] }): number {
  const [left, right] = [a.parts.join('\0'), b.parts.join('\0')]
  return right.length - left.length || (left < right ? -1 : 1)
}

function emptyNode<T>(): Node<T> {
  return { literals: new Map(), mixed: [] }
}

function splitPath(path: string): string[] {
  const segments = path.slice(1).split('/')
  if (segments.at(-1) === '') segments.pop()
  return path.includes('%') ? segments.map(decodeSegment) : segments
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    const got = segment.slice(0, 100)
    throw new HttpError('request.path', `Expected a path in UTF-8 percent-encoding, got "${got}"`, { cause })
  }
}

/** The segments of a route, or what is wrong with it. */
function parseRoute(route: string): Segment[] | string {
  if (!route.startsWith('/') || route.length > 1024) {
    return `Expected a route of 1 to 1024 characters that starts with "/", got "${route.slice(0, 100)}"`
  }
  const texts = route.slice(1).split('/')
  if (texts.at(-1) === '') texts.pop()
  const names = new Set<string>()
  const segments: Segment[] = []
  for (const [index, text] of texts.entries()) {
    const segment = parseSegment(text)
    if (segment === undefined) {
      return `Expected segments like "name", "{id}", "{id?}" or "{rest*}", got "${text}" in the route "${route}"`
    }
    if ((segment.kind === 'optional' || segment.kind === 'rest') && index < texts.length - 1) {
      return `Expected "${text}" to be the last segment of the route "${route}"`
    }
    const own =
      segment.kind === 'mixed'
        ? segment.parts.filter((_, i) => i % 2 === 1)
        : segment.kind === 'literal'
          ? []
          : [segment.name]
    for (const name of own) {
      if (names.has(name)) return `Expected each parameter once, got "${name}" twice in the route "${route}"`
      if (name === '__proto__') return `Expected another name than "__proto__" in the route "${route}"`
      names.add(name)
    }
    segments.push(segment)
  }
  return segments
}

function parseSegment(text: string): Segment | undefined {
  const whole = /^\{([^{}*?]+)([?*]?)\}$/.exec(text)
  if (whole) return { kind: whole[2] === '?' ? 'optional' : whole[2] === '*' ? 'rest' : 'param', name: whole[1]! }
  const parts = text.split(/\{([^{}*?]+)\}/)
  // Two parameters side by side have no border between them.
  if (parts.some((part, i) => i % 2 === 0 && (/[{}]/.test(part) || (part === '' && i > 0 && i < parts.length - 1))))
    return undefined
  return parts.length === 1 ? { kind: 'literal', text: decodeLiteral(text) } : { kind: 'mixed', parts }
}

// Routes are written both ways: "/caf%C3%A9" and "/café" mean the same path.
function decodeLiteral(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not an encoding, so it is meant as it stands; such a path can never be requested.
    return text
  }
}
