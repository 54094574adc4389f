/** A connection to a service, used by one run at a time. */
export interface Link {
  /** False when another run must not go on with it: it is broken, or keeps something of this one. */
  readonly reusable: boolean
  /** At once, whatever is under way; that then fails. */
  close(): void
}

export interface Lease<L extends Link, T> {
  /** Whose connections they are: each application has its own, and its own limit. */
  application: string
  /** What is connected to, and as whom. */
  key: string
  signal: AbortSignal
  open(): Promise<L>
  work(link: L): Promise<T>
}

export interface Pool {
  /** Does the work on an idle connection of this application and key, else a new one; waits when there are too many. */
  lease<L extends Link, T>(lease: Lease<L, T>): Promise<T>
  /** Closes all, also those in use. */
  close(): void
}

interface Room {
  open: number
  idle: { key: string; link: Link; timer: NodeJS.Timeout }[]
  waiting: Set<() => void>
}

const PER_APPLICATION = 8
const IDLE_MS = 30_000

/** Opens a pool: at most `perApplication` (default 8) connections of an application, each closed after `idleMs` (30 s) without work. */
export function openPool({ perApplication = PER_APPLICATION, idleMs = IDLE_MS } = {}): Pool {
  const rooms = new Map<string, Room>()
  const links = new Set<Link>()
  let closed = false

  function roomOf(application: string): Room {
    const room = rooms.get(application) ?? { open: 0, idle: [], waiting: new Set() }
    rooms.set(application, room)
    return room
  }

  function leave(room: Room, application: string) {
    room.open--
    if (room.open === 0 && room.waiting.size === 0) rooms.delete(application)
    else wakeOne(room)
  }

  function drop(room: Room, application: string, link: Link) {
    links.delete(link)
    link.close()
    leave(room, application)
  }

  function park(room: Room, lease: { application: string; key: string }, link: Link) {
    const { application, key } = lease
    const timer = setTimeout(() => {
      room.idle = room.idle.filter((one) => one.link !== link)
      drop(room, application, link)
    }, idleMs)
    timer.unref()
    room.idle.push({ key, link, timer })
    wakeOne(room)
  }

  function take(room: Room, index: number): Link {
    const [one] = room.idle.splice(index, 1)
    clearTimeout(one!.timer)
    return one!.link
  }

  async function acquire<L extends Link>({ application, key, signal, open }: Lease<L, unknown>): Promise<L> {
    for (;;) {
      const room = roomOf(application)
      if (signal.aborted) {
        // The turn may have been this one's.
        wakeOne(room)
        throw signal.reason
      }
      const known = room.idle.findLastIndex((one) => one.key === key)
      if (known !== -1) {
        const link = take(room, known) as L
        if (link.reusable) return link
        drop(room, application, link)
      } else if (room.open < perApplication) {
        room.open++
        try {
          const link = await open()
          links.add(link)
          return link
        } catch (error) {
          leave(room, application)
          throw error
        }
      } else if (room.idle.length > 0) drop(room, application, take(room, 0))
      else await turn(room, signal)
    }
  }

  return {
    async lease(lease) {
      const link = await acquire(lease)
      let done = false
      try {
        const result = await unlessAborted(lease.signal, () => lease.work(link))
        done = true
        return result
      } finally {
        const room = roomOf(lease.application)
        if (done && link.reusable && !closed) park(room, lease, link)
        else drop(room, lease.application, link)
      }
    },
    close() {
      closed = true
      for (const { idle } of rooms.values()) for (const { timer } of idle) clearTimeout(timer)
      for (const link of links) link.close()
      links.clear()
    },
  }
}

function wakeOne({ waiting }: Room) {
  const [first] = waiting
  first?.()
}

/** Resolves when a connection may be free; rejects with the reason of the signal. */
function turn(room: Room, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      room.waiting.delete(wake)
      signal.removeEventListener('abort', stop)
      settle()
    }
    const wake = end(resolve)
    const stop = end(() => reject(signal.reason))
    room.waiting.add(wake)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** What `work` gives; rejects with the reason of the signal when that aborts first. What is under way is left to whoever closes it. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work(), stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
