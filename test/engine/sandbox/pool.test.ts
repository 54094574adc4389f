import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { FlowError } from '../../../engine/errors.ts'
import { type FunctionCall, openFunctionPool } from '../../../engine/sandbox/pool.ts'

const pool = openFunctionPool({ timeoutMs: 1_000, memoryMb: 64 })
afterAll(() => pool.close())

const run = (script: string, value: unknown = {}, more: Partial<FunctionCall> = {}) =>
  pool.run({ script, value, application: 'one', ...more })
const resultOf = async (script: string, value: unknown = {}) => (await run(script, value)).value
const failureOf = async (script: string, value: unknown = {}, more: Partial<FunctionCall> = {}) =>
  run(script, value, more).then(
    ({ value }) => ({ unexpected: value }) as never,
    (error: FlowError) => error,
  )

/** Process ids of the children of this process that run function nodes. */
function childrenOf(pid = process.pid): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[2] === String(pid) && match[3]?.includes('sandbox/child.mjs'))
    .map((match) => Number(match?.[1]))
}

/** True of a child that has had more processor time than its start takes: it runs a script that loops. */
function isLooping(pid: number): boolean {
  const lines = execFileSync('ps', ['-eo', 'pid=,time='], { encoding: 'utf8' }).split('\n')
  const time = lines.find((line) => line.trim().startsWith(`${pid} `))
  const [, minutes = 0, seconds = 0] = /(\d+):(\d+)\s*$/.exec(time ?? '') ?? []
  return Number(minutes) * 60 + Number(seconds) >= 1
}

describe('values', () => {
  const at = new Date('2024-05-01T10:00:00.000Z')
  test.each<[what: string, script: string, value: unknown, expected: unknown]>([
    ['a change in place', 'payload.b = payload.a + 1', { a: 1 }, { a: 1, b: 2 }],
    ['a returned value', 'return [payload]', 7, [7]],
    ['a returned null', 'return null', { a: 1 }, null],
    ['an undefined payload', '', undefined, undefined],
    ['a Date as a Date', 'payload.ms = payload.time.getTime()', { time: at }, { time: at, ms: at.getTime() }],
    ['a Date as the whole', 'return new Date(payload.getTime() + 1)', at, new Date(at.getTime() + 1)],
    ['Dates in lists', 'payload.rows.push({ at: payload.rows[0].at })', { rows: [{ at }] }, { rows: [{ at }, { at }] }],
    [
      'text that looks like a Date as text',
      'payload.b = payload.a',
      { a: at.toJSON() },
      { a: at.toJSON(), b: at.toJSON() },
    ],
    ['no functions', 'payload.f = () => 1', { a: 1 }, { a: 1 }],
    ['null for NaN and invalid Dates', 'payload.a = [NaN, undefined, new Date(NaN)]', {}, { a: [null, null, null] }],
    [
      'a key named __proto__ as data',
      "payload['a'] = Object.keys(payload)",
      JSON.parse('{"__proto__":1}'),
      {
        ['__proto__']: 1,
        a: ['__proto__'],
      },
    ],
    ['a comment at the end', 'payload.a = 1 // done', {}, { a: 1 }],
    ['words in order', "return payload.sort(new Intl.Collator('en').compare)", ['b', 'a'], ['a', 'b']],
    ['UTC', 'return new Date(0).getHours()', {}, 0],
    ['a URL', "return new URL('/b?c=1', 'https://a.example').searchParams.get('c')", {}, '1'],
    ['bytes', "return Buffer.from('00ff', 'hex').toString('base64')", {}, 'AP8='],
    ['strict scripts', "'use strict'; return this === undefined", {}, true],
  ])('keeps %s', async (_what, script, value, expected) => {
    expect((await pool.run({ script, value, application: 'one' })).value).toEqual(expected)
  })

  test('hands back what the script logged', async () => {
    const { logs } = await run("console.log('a', { b: 1 }, null); console.error(new TypeError('x'))")
    expect(logs).toEqual([
      { level: 'log', text: 'a {"b":1} null' },
      { level: 'error', text: 'TypeError: x' },
    ])
  })

  test('keeps at most 100 lines of the log, each cut', async () => {
    const { logs } = await run("for (let i = 0; i < 1000; i++) console.log('x'.repeat(9999))")
    expect(logs).toHaveLength(100)
    expect(logs[0]?.text.length).toBeLessThan(2_010)
  })

  test('takes a script and a payload of megabytes', async () => {
    const value = { rows: Array.from({ length: 30_000 }, (_, i) => ({ i, text: 'some text of a row' })) }
    expect(await resultOf(`/*${'x'.repeat(150_000)}*/ payload.n = payload.rows.length`, value)).toMatchObject({
      n: 30_000,
    })
  })

  test('refuses a cycle on the way in', async () => {
    const value: Record<string, unknown> = {}
    value.self = value
    expect(await failureOf('', value)).toMatchObject({ code: 'function.input', name: 'ValidationError' })
  })

  test('refuses more than 5 MB on the way in', async () => {
    expect(await failureOf('', 'x'.repeat(6e6))).toMatchObject({ code: 'function.input', name: 'PayloadTooLarge' })
  })
})

describe('what a script cannot do', () => {
  test.each([
    ...['require', 'process', 'fetch', 'setTimeout', 'setImmediate', 'queueMicrotask', 'WebAssembly'],
    ...['SharedArrayBuffer', 'Atomics', 'module', 'exports', 'callback', 'WeakRef', 'FinalizationRegistry'],
  ])('it does not see %s', async (name) => {
    expect(await resultOf(`return typeof ${name}`)).toBe('undefined')
  })

  test.each([
    ['a constructor of the payload', "return payload.constructor.constructor('return process')()"],
    ['a constructor of console', "return console.log.constructor('return process')()"],
    ['a constructor of this', "return this.constructor.constructor('return process')()"],
    ['a constructor of Buffer', "return Buffer.from.constructor('return process')()"],
    ['indirect eval', "return (0, eval)('process')"],
    [
      'call sites',
      "Error.prepareStackTrace = (e, sites) => sites; const sites = new Error('x').stack; return sites.at(-1).getFunction()('return process')",
    ],
    ['a caller', 'function f() { return f.caller.caller.constructor("return process")() } return f()'],
  ])('it does not reach the host through %s', async (_what, script) => {
    expect(await failureOf(script)).toMatchObject({ code: 'function.error' })
  })

  test('what it does to its world is gone in the next call', async () => {
    await run(`
      Buffer.from = () => 'poisoned'; globalThis.leak = 1; Object.prototype.leak = 1; Array.prototype.map = () => 'poisoned'
      JSON.parse = JSON.stringify = () => '"poisoned"'; Date.prototype.getTime = () => 1
      console.log = null; Object.keys = () => ['poisoned']
      Promise.resolve().then(() => { globalThis.later = 1 }); Symbol.for('x').description`)
    const look = `return [typeof leak, typeof payload.leak, [1].map((x) => x + 1)[0], JSON.stringify({ a: 1 }),
      new Date(5).getTime(), Buffer.from('a')[0], typeof console.log, Object.keys({ a: 1 })[0], typeof later]`
    expect(await resultOf(look)).toEqual(['undefined', 'undefined', 2, '{"a":1}', 5, 97, 'function', 'a', 'undefined'])
  })

  test('one application never sees the world of another', async () => {
    await run('globalThis.secret = 1', {}, { application: 'one' })
    expect((await run('return typeof secret', {}, { application: 'two' })).value).toBe('undefined')
  })

  test('poisoned intrinsics do not spoil the answer of the call itself', async () => {
    const script = `JSON.stringify = () => 'not JSON'; Object.keys = () => []; Array.isArray = () => { throw 1 }
      Object.defineProperty(Array.prototype, 0, { set() { throw 1 } }); String.prototype.slice = () => { throw 1 }
      Reflect.apply = null; Date.prototype.getTime = () => 0; payload.at = new Date(5)`
    expect(await resultOf(script)).toEqual({ at: new Date(5) })
  })

  test('the environment of the child holds no secret', async () => {
    process.env.SANDBOX_TEST_SECRET = 'do not pass on'
    const own = openFunctionPool({ children: 1 })
    try {
      const before = new Set(childrenOf())
      await own.run({ script: '', value: 1, application: 'a' })
      const pid = childrenOf().find((each) => !before.has(each))
      if (process.platform !== 'linux') return
      const environment = execFileSync('cat', [`/proc/${pid}/environ`], { encoding: 'utf8' })
      expect(environment).toContain('TZ=UTC')
      expect(environment).not.toContain('SECRET')
    } finally {
      delete process.env.SANDBOX_TEST_SECRET
      await own.close()
    }
  })
})

describe('failures of a script', () => {
  test.each<[what: string, script: string, error: object]>([
    ['a TypeError', '\n\nnull.x', { code: 'function.error', name: 'FunctionNodeTypeError', details: { line: 3 } }],
    ['an Error', "throw new Error('boo')", { code: 'function.error', name: 'FunctionNodeError', message: 'boo' }],
    ['an own class', "class Odd extends Error { name = 'Odd' } throw new Odd('x')", { name: 'FunctionNodeOdd' }],
    ['null', 'throw null', { code: 'function.error', message: 'null' }],
    ['a text', "throw 'no'", { code: 'function.error', message: 'no', name: 'FunctionNodeError' }],
    ['a symbol', 'throw Symbol()', { code: 'function.error' }],
    ['a revoked proxy', 'const p = Proxy.revocable({}, {}); p.revoke(); throw p.proxy', { code: 'function.error' }],
    [
      'an error whose parts throw',
      'throw { get name() { throw 1 }, get message() { throw 2 }, get stack() { throw 3 } }',
      { code: 'function.error' },
    ],
    [
      'an error with a strange name',
      "const e = new Error('x'); e.name = '<b>'; throw e",
      { name: 'FunctionNodeError' },
    ],
    [
      'prepareStackTrace that throws',
      'Error.prepareStackTrace = () => { throw 1 }; null.x',
      { code: 'function.error' },
    ],
    ['endless recursion', '(function f() { f() })()', { code: 'function.error', name: 'FunctionNodeRangeError' }],
    ['a rejection nobody handles', "Promise.reject(new TypeError('boo'))", { code: 'function.error', message: 'boo' }],
    ['import()', "import('node:fs')", { code: 'function.error' }],
    ['a promise', 'return new Promise(() => {})', { code: 'function.result' }],
    ['an async function', 'return (async () => 1)()', { code: 'function.result' }],
    ['a bigint', 'return 1n', { code: 'function.result', name: 'FunctionNodeTypeError' }],
    ['a cycle', 'payload.self = payload', { code: 'function.result' }],
    [
      'a getter that throws',
      "Object.defineProperty(payload, 'x', { enumerable: true, get() { throw new Error('x') } })",
      { code: 'function.result', message: 'x' },
    ],
    ['6 MB', "return 'x'.repeat(6e6)", { code: 'function.result', name: 'PayloadTooLarge' }],
    [
      'more than 500 levels',
      'let a = []; for (let i = 0; i < 600; i++) a = [a]; return a',
      { code: 'function.result' },
    ],
    ['no JavaScript', 'payload.\n= 1', { code: 'function.syntax', details: { line: 2 } }],
    ['a closed wrapper', '}); (function () {', { code: 'function.syntax' }],
    ['await', 'await 1', { code: 'function.syntax' }],
  ])('%s', async (_what, script, error) => {
    expect(await failureOf(script)).toMatchObject(error)
    expect(await resultOf('return 1')).toBe(1)
  })

  test('100 MB never arrive, and the child goes on', async () => {
    const { code } = await failureOf("return 'x'.repeat(1e8)")
    expect(['function.result', 'function.memory']).toContain(code)
    expect(await resultOf('return 1')).toBe(1)
  })

  test('carries the frames of the script only, and what was logged before', async () => {
    const { details } = await failureOf("console.log('before')\nfunction f() { null.x }\nf()")
    expect(details?.logs).toEqual([{ level: 'log', text: 'before' }])
    expect(details?.stack?.[0]).toContain('function-node:2')
    expect(JSON.stringify(details)).not.toMatch(/realm|child\.mjs|\/work|node_modules/)
  })

  test('cuts a message that has no end', async () => {
    expect((await failureOf("throw new Error('x'.repeat(1e7))")).message.length).toBeLessThan(2_010)
  })
})

describe('scripts that would take the process along', () => {
  test.each<[what: string, script: string]>([
    ['a loop', 'while (true);'],
    ['a loop in a getter', "Object.defineProperty(payload, 'x', { enumerable: true, get() { while (true); } })"],
    ['a loop in toJSON', 'payload.toJSON = () => { while (true); }'],
    ['a loop in the stack of what is thrown', 'throw { get stack() { while (true); } }'],
    [
      'a loop in the stack of a rejection',
      "const e = new Error(); Object.defineProperty(e, 'stack', { get() { while (true); } }); Promise.reject(e)",
    ],
    ['a loop in a proxy that is thrown', 'throw new Proxy({}, { get() { while (true); } })'],
    ['a loop in prepareStackTrace', 'Error.prepareStackTrace = () => { while (true); }; null.x'],
    ['an endless chain of promises', '(async () => { for (;;) await 0 })()'],
    ['work inside of one built-in', 'new Array(4294967295).indexOf(1)'],
    ['a regular expression that backtracks', "/^(a+)+$/.test('a'.repeat(40) + '!')"],
  ])('%s ends with the time limit, and the next call works', async (_what, script) => {
    expect(await failureOf(script, {}, { timeoutMs: 300 })).toMatchObject({ code: 'function.timeout' })
    expect(await resultOf('return 1')).toBe(1)
  })

  test.each<[what: string, script: string]>([
    ['arrays', 'const a = []; for (;;) a.push(new Array(1000).fill(a.length))'],
    ['strings', "const a = []; for (;;) a.push(('x' + a.length).repeat(1e4).split('').join('-'))"],
    ['ArrayBuffers', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))'],
    ['Buffers', 'const a = []; for (;;) a.push(Buffer.alloc(1e6, 1))'],
    ['one large array', 'const a = new Array(5e7).fill(0); for (;;) a.push(...a.slice(0, 1e4))'],
    ['a log', "for (;;) console.log('x'.repeat(1e8))"],
    ['what lies outside of the heap', "const a = []; for (;;) a.push(new Intl.DateTimeFormat('de'))"],
  ])('memory taken without end in %s', async (_what, script) => {
    const { code } = await failureOf(script, {}, { timeoutMs: 2_000 })
    expect(code).toMatch(/^function\.(memory|error|timeout)$/)
    expect(await resultOf('return 1')).toBe(1)
  })
})

describe('one for all', () => {
  test('a killer among 50 calls of other applications takes none of them along', async () => {
    const calls = Array.from({ length: 50 }, (_, i) =>
      pool.run({ script: 'payload.n++', value: { n: i }, application: `app ${i % 7}` }),
    )
    const hang =
      "const e = new Error(); Object.defineProperty(e, 'stack', { get() { while (true); } }); Promise.reject(e)"
    const killer = failureOf(hang, {}, { application: 'killer', timeoutMs: 300 })
    const more = Array.from({ length: 10 }, () => pool.run({ script: 'return 1', value: 0, application: 'app 1' }))
    expect((await Promise.all(calls)).map(({ value }) => (value as { n: number }).n)).toEqual(
      calls.map((_, i) => i + 1),
    )
    expect(await killer).toMatchObject({ code: 'function.timeout' })
    await Promise.all(more)
  })

  test('loops of one application leave the others at work', async () => {
    const order: string[] = []
    const loops = Array.from({ length: 4 }, () =>
      failureOf('while (true);', {}, { application: 'loops', timeoutMs: 700 }).finally(() => order.push('loop')),
    )
    const others = Promise.all([1, 2, 3].map((n) => run(`return ${n}`, {}, { application: `quick ${n}` })))
    await others.then(() => order.push('others'))
    await Promise.all(loops)
    expect(order[0]).toBe('others')
  })
})

describe('children that die', () => {
  test('a call whose child is killed is run again', async () => {
    const own = openFunctionPool({ children: 1 })
    const before = new Set(childrenOf())
    await own.run({ script: '', value: 1, application: 'a' })
    const pid = childrenOf().find((each) => !before.has(each)) as number
    const script = 'const end = Date.now() + 600; while (Date.now() < end); return 1'
    const call = own.run({ script, value: 0, application: 'a' })
    const other = own.run({ script, value: 0, application: 'b' })
    await wait(150)
    process.kill(pid, 'SIGKILL')
    expect(await Promise.all([call, other])).toMatchObject([{ value: 1 }, { value: 1 }])
    await own.close()
  })

  test('a call that takes two children down fails for good', async () => {
    const own = openFunctionPool({ children: 1 })
    const before = new Set(childrenOf())
    const script = 'const end = Date.now() + 25_000; while (Date.now() < end); return 1'
    const call = own
      .run({ script, value: 0, application: 'a', timeoutMs: 30_000 })
      .catch((error: FlowError) => error.code)
    let kills = 0
    let done = false
    void call.finally(() => {
      done = true
    })
    while (!done && kills < 5) {
      await wait(50)
      // One that is still starting has not got the call, and does not count against it.
      for (const pid of childrenOf().filter((each) => !before.has(each) && isLooping(each))) {
        process.kill(pid, 'SIGKILL')
        kills++
        await wait(50)
      }
    }
    expect(await call).toBe('function.crashed')
    expect(kills).toBe(2)
    await own.close()
  })

  test('after a while without calls one child stays, and the next call works', async () => {
    const before = new Set(childrenOf())
    const own = openFunctionPool({ idleMs: 100 })
    const mine = () => childrenOf().filter((pid) => !before.has(pid))
    const busy = 'const end = Date.now() + 300; while (Date.now() < end);'
    await Promise.all([1, 2].map(() => own.run({ script: busy, value: 0, application: 'a' })))
    expect(mine()).toHaveLength(2)
    await vi.waitUntil(() => mine().length === 1, { timeout: 5_000 })
    expect(await own.run({ script: 'return 1', value: 0, application: 'a' })).toMatchObject({ value: 1 })
    await own.close()
  })

  test.each(['/nonexistent/node', '/bin/false'])(
    'a child that cannot start (%s) fails the call in place of hanging',
    async (path) => {
      const { execPath } = process
      process.execPath = path
      const own = openFunctionPool()
      try {
        const call = own.run({ script: '', value: 1, application: 'a' })
        await expect(call).rejects.toMatchObject({ code: 'function.crashed' })
      } finally {
        process.execPath = execPath
      }
      expect(await own.run({ script: 'return 1', value: 0, application: 'a' })).toMatchObject({ value: 1 })
      await own.close()
    },
  )

  test('close leaves no process and ends what waits', async () => {
    const before = new Set(childrenOf())
    const own = openFunctionPool()
    const loops = [1, 2, 3].map((n) => own.run({ script: 'while (true);', value: 0, application: `${n}` }))
    const ended = Promise.allSettled(loops)
    await wait(300)
    await own.close()
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(childrenOf().filter((pid) => !before.has(pid))).toEqual([])
    await expect(own.run({ script: '', value: 0, application: 'a' })).rejects.toMatchObject({
      code: 'function.crashed',
    })
  })
})

describe('signals', () => {
  test('an aborted call ends at once with the reason of the signal, and its loop does not go on', async () => {
    const abort = new AbortController()
    const started = Date.now()
    const call = run('while (true);', {}, { signal: abort.signal, timeoutMs: 10_000 })
    setTimeout(() => abort.abort(new Error('the run has ended')), 100)
    await expect(call).rejects.toThrow('the run has ended')
    expect((await run('return 1')).value).toBe(1)
    expect(Date.now() - started).toBeLessThan(3_000)
  })

  test('a call that waits leaves the line', async () => {
    await expect(run('return 1', {}, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  })
})
