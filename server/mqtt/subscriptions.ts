import { isCustom } from './topics.ts'

/** Who listens to what in one application. */
export interface Subscriptions<T> {
  add(filter: string, who: T): void
  remove(filter: string, who: T): void
  /** Everybody who hears a topic, each once. In the time of the filters that fit, however many others there are. */
  of(topic: string): Set<T>
}

interface Level<T> {
  next: Map<string, Level<T>>
  here: Set<T>
}

export function openSubscriptions<T>(): Subscriptions<T> {
  const top = newLevel<T>()
  // Topics of devices are heard by their name alone: no wildcard leads from one tree to the other.
  const devices = newLevel<T>()
  const treeOf = (topic: string) => (isCustom(topic) ? top : devices)
  return {
    add(filter, who) {
      let level = treeOf(filter)
      for (const name of filter.split('/')) {
        const next = level.next.get(name) ?? newLevel()
        level.next.set(name, next)
        level = next
      }
      level.here.add(who)
    },
    remove(filter, who) {
      forget(treeOf(filter), filter.split('/'), who)
    },
    of(topic) {
      const found = new Set<T>()
      collect(treeOf(topic), { names: topic.split('/'), at: 0, found })
      return found
    },
  }
}

function newLevel<T>(): Level<T> {
  return { next: new Map(), here: new Set() }
}

/** Removes levels that nobody needs any more, too. */
function forget<T>(level: Level<T>, [name, ...rest]: string[], who: T): void {
  if (name === undefined) {
    level.here.delete(who)
    return
  }
  const next = level.next.get(name)
  if (next === undefined) return
  forget(next, rest, who)
  if (next.here.size === 0 && next.next.size === 0) level.next.delete(name)
}

function collect<T>(level: Level<T>, { names, at, found }: { names: string[]; at: number; found: Set<T> }): void {
  for (const one of level.next.get('#')?.here ?? []) found.add(one)
  if (at === names.length) {
    for (const one of level.here) found.add(one)
    return
  }
  for (const name of [names[at]!, '+']) {
    const next = level.next.get(name)
    if (next) collect(next, { names, at: at + 1, found })
  }
}
