/**
 * What runs inside an isolate around a function node: its text is sent to the children, so it may use nothing but the
 * language and its own arguments. Everything it needs later is taken from the realm before an author's code runs;
 * strict, so that neither `caller` nor call sites hand its functions out.
 *
 * The result is the function that does one call. It answers with one JSON text: `{value, dates, logs}` or
 * `{failure, name, message, line, stack, logs}` or `{failure: 'too-large', length}`; `value` is absent for undefined.
 */
export function realm(bytes: () => Record<string, unknown>, url: () => Record<string, unknown>): RealmCall {
  const { parse, stringify } = JSON
  const { apply, getPrototypeOf, deleteProperty, defineProperty } = Reflect
  const { keys } = Object
  const { isArray } = Array
  const { isFinite: finite } = Number
  const DateOf = Date
  const { prototype: datePrototype } = Date
  const { getTime } = datePrototype
  const { slice, indexOf } = String.prototype
  const text = String
  const ErrorOf = Error
  const maxDepth = 500
  const maxLogs = 100
  const maxText = 2_000
  let logs = ''
  let logCount = 0

  // Shared memory, compiled code and callbacks of the collector have no use in a synchronous script.
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'WeakRef']) {
    deleteProperty(globalThis, name)
  }
  const give = (name: string, value: unknown) =>
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
  // Built when first asked for: most scripts use none of them, and each call has a realm of its own.
  const giveLater = (names: string[], build: () => Record<string, unknown>) => {
    for (const name of names) {
      const get = () => {
        const made = build()
        for (const each of names) give(each, made[each])
        return made[name]
      }
      defineProperty(globalThis, name, {
        get,
        set: (value) => give(name, value),
        configurable: true,
        enumerable: false,
      })
    }
  }
  giveLater(['Buffer', 'TextEncoder', 'TextDecoder', 'atob', 'btoa'], bytes)
  giveLater(['URL', 'URLSearchParams'], url)
  give('console', {
    log: (...items: unknown[]) => note('log', items),
    info: (...items: unknown[]) => note('info', items),
    warn: (...items: unknown[]) => note('warn', items),
    error: (...items: unknown[]) => note('error', items),
    debug: (...items: unknown[]) => note('log', items),
  })

  return (call, json, dates, limit) => {
    let payload: unknown
    try {
      payload = json === undefined ? undefined : withDates(parse(json), dates)
      const answer = call(payload)
      if (answer !== undefined) payload = answer
    } catch (error) {
      return failure('error', error)
    }
    try {
      if (isPromise(payload)) return failure('async', undefined)
      const value = stringify(payload)
      if (value === undefined) return `{"logs":[${logs}]}`
      if (value.length > limit) return `{"failure":"too-large","length":${value.length},"logs":[${logs}]}`
      const found = datesIn(payload, '', 0)
      if (found.length > limit) return `{"failure":"too-large","length":${found.length},"logs":[${logs}]}`
      return `{"value":${value},"dates":[${found}],"logs":[${logs}]}`
    } catch (error) {
      return failure('result', error)
    }
  }

  // Lists are put together as text: an array literal could meet setters that the author put on Array.prototype.
  function note(level: string, items: unknown[]): void {
    if (logCount >= maxLogs) return
    logCount++
    let line = ''
    for (let i = 0; i < items.length && line.length < maxText; i++) line += (i === 0 ? '' : ' ') + show(items[i])
    logs += `${logs === '' ? '' : ','}{"level":"${level}","text":${stringify(cut(line, maxText))}}`
  }

  function show(item: unknown): string {
    if (typeof item === 'string') return item
    if (typeof item !== 'object' || item === null) return text(item)
    if (item instanceof ErrorOf) return `${text(item.name)}: ${text(item.message)}`
    try {
      return stringify(item) ?? text(item)
    } catch {
      // A cycle or a getter that throws: the log must not fail a script that works.
      return '[object]'
    }
  }

  function cut(value: string, length: number): string {
    return value.length > length ? `${apply(slice, value, [0, length])}...` : value
  }

  function isPromise(value: unknown): boolean {
    return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  }

  function isDate(value: object): value is Date {
    return getPrototypeOf(value) === datePrototype
  }

  /** The places of Dates as JSON paths joined by commas: `["time"],["rows",3,"at"]`. */
  function datesIn(value: unknown, path: string, depth: number): string {
    if (typeof value !== 'object' || value === null) return ''
    if (depth > maxDepth) throw new RangeError(`The value is nested deeper than ${maxDepth} levels`)
    if (isDate(value)) return finite(apply(getTime, value, [])) ? `[${path}]` : ''
    let found = ''
    const join = path === '' ? '' : `${path},`
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) found = add(found, datesIn(value[i], `${join}${i}`, depth + 1))
    } else {
      const names = keys(value)
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string
        const member = (value as Record<string, unknown>)[name]
        if (typeof member === 'object' && member !== null) {
          found = add(found, datesIn(member, `${join}${stringify(name)}`, depth + 1))
        }
      }
    }
    return found
  }

  function add(list: string, more: string): string {
    return more === '' ? list : list === '' ? more : `${list},${more}`
  }

  function withDates(root: unknown, dates: string | undefined): unknown {
    if (dates === undefined) return root
    const paths = parse(dates) as (string | number)[][]
    for (let i = 0; i < paths.length; i++) {
      const path = paths[i] as (string | number)[]
      if (path.length === 0) return new DateOf(root as string)
      let parent = root as Record<string | number, unknown>
      for (let k = 0; k < path.length - 1; k++) parent = parent[path[k] as string] as Record<string | number, unknown>
      const last = path[path.length - 1] as string
      defineProperty(parent, last, {
        value: new DateOf(parent[last] as string),
        writable: true,
        enumerable: true,
        configurable: true,
      })
    }
    return root
  }

  /** Reads of a thrown value are the author's code as well: each may throw, return anything or never end. */
  function read(error: unknown, name: string): string {
    try {
      const value = (error as Record<string, unknown>)[name]
      return typeof value === 'string' ? value : ''
    } catch {
      // A getter or a proxy that throws: the failure is reported without this part.
      return ''
    }
  }

  function failure(kind: string, error: unknown): string {
    let name = 'Error'
    let message = ''
    let stack = ''
    if ((typeof error === 'object' || typeof error === 'function') && error !== null) {
      name = read(error, 'name') || 'Error'
      message = read(error, 'message')
      stack = read(error, 'stack')
    } else message = typeof error === 'symbol' ? 'a symbol' : text(error)
    const named = `"name":${stringify(cut(name, 100))},"message":${stringify(cut(message, maxText))}`
    return `{"failure":"${kind}",${named},"stack":${stringify(linesOf(stack))},"logs":[${logs}]}`
  }

  /** The frames that lie in the script, one a line: at most 4,000 characters of them. */
  function linesOf(stack: string): string {
    let lines = ''
    let start = 0
    while (start < stack.length && start < 20_000 && lines.length < 4_000) {
      let end = apply(indexOf, stack, ['\n', start]) as number
      if (end < 0) end = stack.length
      const frame = cut(apply(slice, stack, [start, end]), 300)
      if (apply(indexOf, frame, ['function-node:']) >= 0) lines += `${lines === '' ? '' : '\n'}${frame}`
      start = end + 1
    }
    return lines
  }
}

/** One call inside the realm: the author's function, the payload as JSON, the places of its Dates, most characters out. */
export type RealmCall = (
  call: (payload: unknown) => unknown,
  json: string | undefined,
  dates: string | undefined,
  limit: number,
) => string
