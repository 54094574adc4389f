/**
 * Shares answers among all who ask for one key within a turn of the event loop, so that a burst of requests costs one
 * read. An answer is never older than the turn: who asks after a write was acknowledged over the network sees it.
 */
export function perTurn<V>(): (key: string, ask: () => Promise<V>) => Promise<V> {
  const answers = new Map<string, Promise<V>>()
  return (key, ask) => {
    const known = answers.get(key)
    if (known) return known
    if (answers.size === 0) setImmediate(() => answers.clear())
    const answer = ask()
    answers.set(key, answer)
    return answer
  }
}
