import { FlowError } from '../../engine/errors.ts'
import { flag, type Place, path, read } from '../../engine/fields.ts'
import type { Turn } from '../../engine/node.ts'
import { copyValue, type Payload, parsePath, readPath, sizeOf, writePath } from '../../engine/payload.ts'
import { copyBounded, MOST_BYTES } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { type LoopItem, loopItems } from './loop-items.ts'

const PARALLEL_TURNS = 5

export const loop = defineNode({
  type: 'loop',
  aliases: ['LoopNode'],
  group: 'logic',
  title: 'Loop',
  summary: 'Walks its body once for every item of a collection, one after another or several at a time.',
  outputs: ['done', 'each'],
  bodies: ['each'],
  needs: [],
  config: {
    source: read({
      key: 'loopSourcePath',
      label: 'Collection',
      help: 'A list, an object, a text, or a number of turns.',
      required: true,
    }),
    item: path({
      key: 'currentItemPath',
      label: 'Current item',
      help: 'Where each turn finds { value, index, key, first, last }.',
      required: true,
      writes: true,
    }),
    parallel: flag({
      key: 'parallel',
      label: 'In parallel',
      help: 'Five turns at a time, each on a copy of the payload; only mapped values come back.',
    }),
    result: path({
      key: 'mapResultPath',
      label: 'Mapped list',
      help: 'A list with a value of each turn.',
      writes: true,
    }),
    mapValuePath: path({
      key: 'mapValuePath',
      label: 'Mapped value',
      help: 'Where the value of a turn is found, when its end names no other place.',
    }),
  },
  examples: [
    {
      title: 'Three names',
      config: { loopSourcePath: 'data.names', currentItemPath: 'working.current' },
      payload: { data: { names: ['a', 'b', 'c'] } },
      output: 'done',
    },
  ],
  async run(context) {
    const { config } = context
    const list = openMapped(config)
    if (context.leads('each')) {
      // A copy: turns may change the collection, and what is in their items, without a trace in the other.
      const items = loopItems(copyBounded(config.source))
      if (config.parallel) await runParallel(context, items, list)
      else await runSerial(context, items, list)
    }
    config.result.write(list.values)
    return 'done'
  },
})

interface Settings {
  item: Place
  result: Place
  mapValuePath: Place
}

interface Looping {
  payload: Payload
  config: Settings
  halted(): boolean
  follow(output: 'each', payload: Payload): Promise<Turn>
  alwaysCommits(output: 'each'): boolean
}

// Each turn starts with what the one before committed. A turn that may end without a commit works on a copy.
async function runSerial(context: Looping, items: readonly LoopItem[], list: Mapped): Promise<void> {
  const itemPath = parsePath(context.config.item.text)!
  const keeps = context.alwaysCommits('each')
  for (const item of items) {
    if (context.halted()) return
    const payload = keeps ? context.payload : copyValue(context.payload)
    writePath(payload, itemPath, item)
    const turn = await context.follow('each', payload)
    list.put(item.index, turn)
    if (turn.committed) context.payload = turn.committed
    if (turn.last) return
  }
}

// Turns see the payload as it was at the start; only their mapped values come back. All finish before a failure counts.
async function runParallel(context: Looping, items: readonly LoopItem[], list: Mapped): Promise<void> {
  const itemPath = parsePath(context.config.item.text)!
  const failures: unknown[] = []
  let next = 0
  const work = async () => {
    while (next < items.length && !context.halted()) {
      const item = items[next++]!
      try {
        const payload = copyValue(context.payload)
        writePath(payload, itemPath, item)
        list.put(item.index, await context.follow('each', payload))
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_TURNS }, work))
  if (failures.length > 0) throw failures[0]
}

interface Mapped {
  values: unknown[]
  put(index: number, turn: Turn): void
}

// Copied: later turns may change what a turn has named. Bounded while it grows: it is not on the payload before the end.
function openMapped(config: Settings): Mapped {
  const values: unknown[] = []
  let bytes = 0
  return {
    values,
    put(index, turn) {
      if (!config.result.given) return
      const value = mappedValue(config, turn)
      bytes += sizeOf(value, MOST_BYTES)
      if (bytes > MOST_BYTES) {
        const message = `The mapped list grew beyond ${MOST_BYTES} bytes. Map less of each item.`
        throw new FlowError('limit.payload', message, { name: 'PayloadTooLarge' })
      }
      values[index] = copyValue(value)
    },
  }
}

// Without a place of its own a cap means the place that the loop names, else the whole item.
function mappedValue({ item, mapValuePath }: Settings, turn: Turn): unknown {
  if (!turn.committed) return undefined
  if (turn.mapped) return turn.mapped.value
  return readPath(turn.committed, parsePath((mapValuePath.given ? mapValuePath : item).text)!)
}
