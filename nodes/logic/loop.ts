import { FlowError } from '../../engine/errors.ts'
import { flag, type Place, path, read } from '../../engine/fields.ts'
import type { Turn } from '../../engine/node.ts'
import { copyValue, type Payload, parsePath, readPath, writePath } from '../../engine/payload.ts'
import { defineNode } from '../define.ts'
import { type LoopItem, loopItems } from './loop-items.ts'

const MOST_TURNS = 262_144
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
    source: read({ key: 'loopSourcePath', label: 'Collection', required: true }),
    item: path({ key: 'currentItemPath', label: 'Current item', required: true, writes: true }),
    parallel: flag({ key: 'parallel', label: 'In parallel' }),
    result: path({ key: 'mapResultPath', label: 'Mapped list', writes: true }),
    mapValuePath: path({ key: 'mapValuePath', label: 'Mapped value' }),
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
    const items = loopItems(config.source)
    if (items.length > MOST_TURNS) {
      throw new FlowError('loop.too-long', `Expected at most ${MOST_TURNS} items to loop over, got ${items.length}`)
    }
    const mapped = config.parallel ? await runParallel(context, items) : await runSerial(context, items)
    config.result.write(mapped)
    return 'done'
  },
})

interface Looping {
  payload: Payload
  config: { item: Place; mapValuePath: Place }
  follow(output: 'each', payload: Payload): Promise<Turn>
  alwaysCommits(output: 'each'): boolean
}

// Each turn starts with what the one before committed. A turn that may end without a commit works on a copy.
async function runSerial(context: Looping, items: readonly LoopItem[]): Promise<unknown[]> {
  const itemPath = parsePath(context.config.item.text)!
  const keeps = context.alwaysCommits('each')
  const mapped: unknown[] = []
  for (const item of items) {
    const payload = keeps ? context.payload : copyValue(context.payload)
    writePath(payload, itemPath, item)
    const turn = await context.follow('each', payload)
    mapped.push(mappedValue(context, turn))
    if (turn.committed) context.payload = turn.committed
    if (turn.last) break
  }
  return mapped
}

// Turns see the payload as it was at the start; only their mapped values come back. All finish before a failure counts.
async function runParallel(context: Looping, items: readonly LoopItem[]): Promise<unknown[]> {
  const itemPath = parsePath(context.config.item.text)!
  const mapped: unknown[] = new Array(items.length)
  const failures: unknown[] = []
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const index = next++
      const payload = copyValue(context.payload)
      writePath(payload, itemPath, copyValue(items[index]))
      try {
        mapped[index] = mappedValue(context, await context.follow('each', payload))
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_TURNS }, work))
  if (failures.length > 0) throw failures[0]
  return mapped
}

// Without a place of its own a cap means the place that the loop names, else the whole item.
function mappedValue({ config }: Looping, turn: Turn): unknown {
  if (!turn.committed) return undefined
  if (turn.mapped) return turn.mapped.value
  const place = config.mapValuePath.given ? config.mapValuePath : config.item
  return readPath(turn.committed, parsePath(place.text)!)
}
