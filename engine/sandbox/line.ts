/** Calls that wait, in order within an application; the applications take turns. */
export interface Line<Call extends { application: string }> {
  add(call: Call, place: 'first' | 'last'): void
  /** Takes a call out, wherever it stands; its application goes behind the others. */
  remove(call: Call): void
  /** The first call of each application, the one served longest ago first. */
  heads(): Call[]
  /** Takes all out. */
  clear(): Call[]
}

export function openLine<Call extends { application: string }>(): Line<Call> {
  /** The application served last stands last. */
  const queues = new Map<string, Call[]>()
  return {
    add(call, place) {
      const calls = queues.get(call.application)
      if (!calls) queues.set(call.application, [call])
      else if (place === 'first') calls.unshift(call)
      else calls.push(call)
    },
    remove(call) {
      const calls = queues.get(call.application)
      const at = calls?.indexOf(call) ?? -1
      if (!calls || at < 0) return
      calls.splice(at, 1)
      queues.delete(call.application)
      if (calls.length > 0) queues.set(call.application, calls)
    },
    heads() {
      return [...queues.values()].flatMap((calls) => calls.slice(0, 1))
    },
    clear() {
      const all = [...queues.values()].flat()
      queues.clear()
      return all
    },
  }
}
