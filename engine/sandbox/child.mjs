// @ts-check
/**
 * A child process that runs function nodes, one isolate per application. Plain JavaScript: stripping types would cost
 * each child 20 MB of memory. It is expected to hang or to die; the parent (worker.ts) watches it from outside.
 *
 * In: {kind: 'init', realm, memoryMb, maxIsolates}, {kind: 'run', id, application, script, json, dates, timeoutMs, limit},
 * {kind: 'cancel', id}. Out: {kind: 'ready'}, {id, text} or {id, failure, name, message}. The parent sends at most one call of
 * an application at a time.
 */
import ivm from 'isolated-vm'

/**
 * @typedef {{ context: ivm.Context, call: ivm.Reference }} Room
 * @typedef {{ isolate: ivm.Isolate, realm: ivm.Script, scripts: Map<string, ivm.Script>, size: number,
 *   spare: Promise<Room> | undefined, call: number | undefined }} Home
 * @typedef {{ kind: 'run', id: number, application: string, script: string, json: string | undefined,
 *   dates: string | undefined, timeoutMs: number, limit: number }} Run
 */

/** What a parent reads from the exit code: a script used up the memory. */
const outOfMemory = 86
const maxScripts = 200
const maxScriptLength = 4_000_000
/** An isolate that a call left larger than this is not kept. The parent's limit counts on it. */
const keptHeap = 32 * 1_048_576

/** @type {Map<string, Home>} by application, least recently used first */
const homes = new Map()
let settings = { realm: '', memoryMb: 128, maxIsolates: 8 }
let rssAtStart = 0

// A plain exit would wait for a script that loops to run out of time.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (/** @type {any} */ message) => {
  if (message.kind === 'init') start(message)
  else if (message.kind === 'cancel') cancel(message.id)
  else void answer(message)
})

/** @param {typeof settings} given */
function start(given) {
  settings = given
  new ivm.Isolate({ memoryLimit: 8 }).dispose()
  rssAtStart = process.memoryUsage.rss()
  // On Linux the parent looks by itself, which also works while this thread hangs.
  if (process.platform !== 'linux') setInterval(watchMemory, 100).unref()
  process.send?.({ kind: 'ready' })
}

function watchMemory() {
  const busy = [...homes.values()].filter((home) => home.call !== undefined).length
  const limitMb = settings.memoryMb * (busy + 1) + settings.maxIsolates * 48
  if (process.memoryUsage.rss() > rssAtStart + limitMb * 1_048_576) process.exit(outOfMemory)
}

/** @param {Run} run */
async function answer(run) {
  const home = homeOf(run.application)
  home.call = run.id
  try {
    process.send?.({ id: run.id, text: await perform(home, run) })
    if (home.isolate.isDisposed || heapOf(home) > keptHeap) forget(run.application, home)
    else home.spare = makeRoom(home)
  } catch (error) {
    forget(run.application, home)
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    process.send?.({ id: run.id, failure: kindOf(message), name: cut(name, 100), message: cut(message, 2_000) })
  }
  home.call = undefined
  trim()
}

/** @param {string} message */
function kindOf(message) {
  if (message.startsWith('Script execution timed out')) return 'timeout'
  if (message.includes('memory limit')) return 'memory'
  // All that a script throws is caught inside the realm; only what its promises left unhandled comes out here.
  return 'rejected'
}

/** @param {unknown} text @param {number} length */
function cut(text, length) {
  return String(text).slice(0, length)
}

/**
 * @param {Home} home
 * @param {Run} run
 * @returns {Promise<string>}
 */
async function perform(home, run) {
  const script = await compiled(home, run.script)
  const room = await (home.spare ?? makeRoom(home))
  home.spare = undefined
  const { context, call } = room
  // Evaluates a function expression and nothing else: no code of the author runs here.
  const author = script.runSync(context, { reference: true })
  const text = await call.apply(undefined, [author.derefInto(), run.json, run.dates, run.limit], {
    timeout: run.timeoutMs,
    result: { copy: true },
  })
  author.release()
  call.release()
  context.release()
  if (typeof text !== 'string') throw new Error('The realm gave no text')
  return text
}

/** @param {string} application @returns {Home} */
function homeOf(application) {
  let home = homes.get(application)
  if (home) homes.delete(application)
  else {
    const isolate = new ivm.Isolate({
      memoryLimit: settings.memoryMb,
      // Past this point the isolate cannot be saved, and its thread hangs.
      onCatastrophicError: () => process.exit(outOfMemory),
    })
    const realm = isolate.compileScriptSync(settings.realm, { filename: 'realm' })
    home = { isolate, realm, scripts: new Map(), size: 0, spare: undefined, call: undefined }
  }
  homes.set(application, home)
  return home
}

/** A context that no script has seen. @param {Home} home @returns {Promise<Room>} */
function makeRoom(home) {
  const made = home.isolate.createContext().then((context) => {
    const call = home.realm.runSync(context, { reference: true })
    return { context, call }
  })
  // The call that takes it sees the failure; until then it is nobody's.
  made.catch(() => undefined)
  return made
}

/** @param {Home} home @param {string} script @returns {Promise<ivm.Script>} */
async function compiled(home, script) {
  const found = home.scripts.get(script)
  if (found) return found
  if (home.scripts.size >= maxScripts || home.size + script.length > maxScriptLength) {
    for (const old of home.scripts.values()) old.release()
    home.scripts.clear()
    home.size = 0
  }
  const made = await home.isolate.compileScript(`(function (payload) {\n${script}\n})`, {
    filename: 'function-node',
    lineOffset: -1,
  })
  home.scripts.set(script, made)
  home.size += script.length
  return made
}

/** @param {number} id */
function cancel(id) {
  for (const [application, home] of homes) if (home.call === id) forget(application, home)
}

/** @param {string} application @param {Home} home */
function forget(application, home) {
  if (homes.get(application) === home) homes.delete(application)
  if (!home.isolate.isDisposed) home.isolate.dispose()
}

/** @param {Home} home */
function heapOf(home) {
  const { total_heap_size, externally_allocated_size } = home.isolate.getHeapStatisticsSync()
  return total_heap_size + externally_allocated_size
}

/** Gives back idle isolates, the one used longest ago first, while there are too many. */
function trim() {
  for (const [application, home] of homes) {
    if (homes.size <= settings.maxIsolates) return
    if (home.call === undefined) forget(application, home)
  }
}
