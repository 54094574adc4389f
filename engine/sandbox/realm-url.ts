/**
 * URL and URLSearchParams in plain JavaScript, for isolates that have neither. Its text is sent to the children: it uses
 * nothing but the language. Absolute and relative http-like URLs; no Unicode host names, no IPv4 shorthands.
 */
export function realmUrl(): Record<string, unknown> {
  const defaultPorts: Record<string, string> = {
    'http:': '80',
    'https:': '443',
    'ws:': '80',
    'wss:': '443',
    'ftp:': '21',
  }

  const plus = (value: string) =>
    encodeURIComponent(value)
      .replace(/[!'()~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace(/%20/g, '+')
  const unplus = (value: string) => {
    const spaced = value.replace(/\+/g, ' ')
    try {
      return decodeURIComponent(spaced)
    } catch {
      // A stray percent sign stands for itself.
      return spaced
    }
  }

  class URLSearchParams {
    readonly #changed: (() => void) | undefined
    #pairs: [string, string][] = []
    constructor(init: unknown = '', changed?: () => void) {
      this.#changed = changed
      if (typeof init === 'object' && init !== null) {
        const source = init as Iterable<[string, string]> & Record<string, string>
        const pairs = Symbol.iterator in source ? [...source] : Object.entries<string>(source)
        this.#pairs = pairs.map(([name, value]) => [String(name), String(value)])
      } else this.#parse(String(init))
    }
    #parse(text: string) {
      for (const pair of text.replace(/^\?/, '').split('&')) {
        if (pair === '') continue
        const at = pair.indexOf('=')
        this.#pairs.push(at < 0 ? [unplus(pair), ''] : [unplus(pair.slice(0, at)), unplus(pair.slice(at + 1))])
      }
    }
    get size() {
      return this.#pairs.length
    }
    append(name: string, value: string) {
      this.#pairs.push([String(name), String(value)])
      this.#changed?.()
    }
    delete(name: string) {
      this.#pairs = this.#pairs.filter(([each]) => each !== name)
      this.#changed?.()
    }
    get(name: string) {
      return this.#pairs.find(([each]) => each === name)?.[1] ?? null
    }
    getAll(name: string) {
      return this.#pairs.filter(([each]) => each === name).map(([, value]) => value)
    }
    has(name: string) {
      return this.#pairs.some(([each]) => each === name)
    }
    set(name: string, value: string) {
      const at = this.#pairs.findIndex(([each]) => each === name)
      if (at < 0) this.#pairs.push([String(name), String(value)])
      else this.#pairs = this.#pairs.filter(([each], i) => i <= at || each !== name)
      if (at >= 0) this.#pairs[at] = [String(name), String(value)]
      this.#changed?.()
    }
    sort() {
      this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      this.#changed?.()
    }
    forEach(visit: (value: string, name: string, params: URLSearchParams) => void) {
      for (const [name, value] of this.#pairs) visit(value, name, this)
    }
    *entries() {
      for (const [name, value] of this.#pairs) yield [name, value]
    }
    *keys() {
      for (const [name] of this.#pairs) yield name
    }
    *values() {
      for (const [, value] of this.#pairs) yield value
    }
    [Symbol.iterator]() {
      return this.entries()
    }
    toString() {
      return this.#pairs.map(([name, value]) => `${plus(name)}=${plus(value)}`).join('&')
    }
  }

  /** Characters that a part may not hold as they stand; an existing escape stays. */
  const encode = (value: string, unsafe: RegExp) =>
    value.replace(unsafe, (letter) => {
      if (letter === "'") return '%27'
      return /^[\ud800-\udfff]$/.test(letter) ? '%EF%BF%BD' : encodeURIComponent(letter)
    })
  const unsafePath = /[\ud800-\udbff][\udc00-\udfff]|[^!-~]|["<>^`{}]/g
  const unsafeQuery = /[\ud800-\udbff][\udc00-\udfff]|[^!-~]|["<>']/g

  function withoutDots(path: string): string {
    const out: string[] = []
    const parts = path.split('/').slice(1)
    for (const [i, part] of parts.entries()) {
      const dots = part.replace(/%2e/gi, '.')
      if (dots === '..') out.pop()
      if (dots !== '..' && dots !== '.') out.push(part)
      else if (i === parts.length - 1) out.push('')
    }
    return `/${out.join('/')}`
  }

  class URL {
    protocol = ''
    username = ''
    password = ''
    hostname = ''
    port = ''
    pathname = ''
    hash = ''
    #search = ''
    #slashes = true
    #params: URLSearchParams | undefined

    constructor(input: unknown, base?: unknown) {
      const text = String(input).trim()
      const absolute = /^([a-z][a-z0-9+.-]*:)(.*)$/is.exec(text)
      if (absolute) this.#read((absolute[1] as string).toLowerCase(), absolute[2] as string)
      else if (base === undefined) throw new TypeError('Invalid URL')
      else this.#resolve(text, new URL(base))
    }
    static canParse(input: unknown, base?: unknown): boolean {
      try {
        return new URL(input, base) !== undefined
      } catch {
        // Whether it throws is the question.
        return false
      }
    }
    #read(protocol: string, rest: string) {
      this.protocol = protocol
      const special = Object.hasOwn(defaultPorts, protocol)
      const text = special ? `//${rest.replace(/^[/\\]*/, '')}` : rest
      const parts = /^(?:\/\/([^/?#\\]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text)
      if (!parts) throw new TypeError('Invalid URL')
      this.#slashes = parts[1] !== undefined
      if (parts[1] !== undefined) this.#readAuthority(parts[1], special)
      const path = special ? (parts[2] ?? '').replace(/\\/g, '/') : (parts[2] ?? '')
      this.pathname = this.#slashes && (special || path !== '') ? withoutDots(encode(path, unsafePath)) : path
      this.search = parts[3] ?? ''
      this.hash = parts[4] === '#' ? '' : encode(parts[4] ?? '', unsafePath)
    }
    #readAuthority(authority: string, special: boolean) {
      const at = authority.lastIndexOf('@')
      const login = at < 0 ? '' : authority.slice(0, at)
      const host = /^(\[[0-9a-f:.]+\]|[^:[\]\s<>^|%]*)(?::([0-9]*))?$/i.exec(authority.slice(at + 1))
      if (!host || (special && host[1] === '') || Number(host[2] ?? 0) > 65_535) throw new TypeError('Invalid URL')
      this.hostname = (host[1] as string).toLowerCase()
      const port = host[2] ? String(Number(host[2])) : ''
      this.port = port === defaultPorts[this.protocol] ? '' : port
      const colon = login.indexOf(':')
      this.username = colon < 0 ? login : login.slice(0, colon)
      this.password = colon < 0 ? '' : login.slice(colon + 1)
    }
    #resolve(text: string, base: URL) {
      if (/^[/\\]{2}/.test(text)) return this.#read(base.protocol, text)
      if (!base.#slashes) throw new TypeError('Invalid URL')
      const parts = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text) ?? []
      const folder = base.pathname.replace(/[^/]*$/, '')
      const path = parts[1] ? (/^[/\\]/.test(parts[1]) ? parts[1] : folder + parts[1]) : base.pathname
      const search = parts[2] ?? (parts[1] ? '' : base.search)
      this.#read(base.protocol, `//${base.#login}${base.host}${path}${search}${parts[3] ?? ''}`)
    }
    get #login() {
      const login = this.username + (this.password === '' ? '' : `:${this.password}`)
      return login === '' ? '' : `${login}@`
    }
    get host() {
      return this.hostname + (this.port === '' ? '' : `:${this.port}`)
    }
    get origin() {
      return Object.hasOwn(defaultPorts, this.protocol) ? `${this.protocol}//${this.host}` : 'null'
    }
    get search() {
      return this.#search
    }
    set search(value: string) {
      const query = String(value).replace(/^\?/, '')
      this.#search = query === '' ? '' : `?${encode(query, unsafeQuery)}`
      this.#params = undefined
    }
    get searchParams() {
      this.#params ??= new URLSearchParams(this.#search, () => {
        const text = String(this.#params)
        this.#search = text === '' ? '' : `?${text}`
      })
      return this.#params
    }
    get href() {
      const authority = this.#slashes ? `//${this.#login}${this.host}` : ''
      return `${this.protocol}${authority}${this.pathname}${this.#search}${this.hash}`
    }
    toString() {
      return this.href
    }
    toJSON() {
      return this.href
    }
  }

  return { URL, URLSearchParams }
}
