import { covers, isCustom } from './topics.ts'

/** Who listens to what in one application. */
export interface Subscriptions<T> {
  add(filter: string, who: T): void
  remove(filter: string, who: T): void
  /** Everybody who hears a topic, each once. */
  of(topic: string): Set<T>
}

export function openSubscriptions<T>(): Subscriptions<T> {
  const plain = new Map<string, Set<T>>()
  const wild = new Map<string, Set<T>>()
  const tableOf = (filter: string) => (/[+#]/.test(filter) ? wild : plain)
  return {
    add(filter, who) {
      const table = tableOf(filter)
      const listeners = table.get(filter) ?? new Set()
      table.set(filter, listeners.add(who))
    },
    remove(filter, who) {
      const table = tableOf(filter)
      const listeners = table.get(filter)
      listeners?.delete(who)
      if (listeners?.size === 0) table.delete(filter)
    },
    of(topic) {
      const found = new Set(plain.get(topic))
      // Topics of devices are heard by their name alone.
      if (!isCustom(topic)) return found
      for (const [filter, listeners] of wild) {
        if (covers(filter, topic)) for (const one of listeners) found.add(one)
      }
      return found
    },
  }
}
