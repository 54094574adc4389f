import { Worker } from 'node:worker_threads'
import type { ReadMail } from './read-mail.ts'
import { MailRefusal } from './refusal.ts'

export interface MailReader {
  /** Throws MailRefusal for a mail that cannot be read, or not in time. */
  read(raw: Uint8Array): Promise<ReadMail>
  /** Ends what is being read. */
  close(): Promise<void>
}

/** Longer mails of short lines take a parser minutes. A mail of 10 MB in base64 has 140,000. */
const mostLines = 200_000
const mostHeapMb = 256

/** Reads mails in threads of their own: each gets `timeoutMs` (default 20,000), at most `atOnce` (default 2) run. */
export function openMailReader({ timeoutMs = 20_000, atOnce = 2 } = {}): MailReader {
  const workers = new Set<Worker>()
  const line: (() => void)[] = []
  let running = 0

  const enter = async () => {
    if (running >= atOnce) await new Promise<void>((resolve) => line.push(resolve))
    else running += 1
  }
  // Who is next takes over the place.
  const leave = () => {
    const next = line.shift()
    if (next) next()
    else running -= 1
  }

  async function parse(raw: Uint8Array): Promise<ReadMail> {
    const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
      workerData: raw,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: mostHeapMb, maxYoungGenerationSizeMb: 32 },
    })
    workers.add(worker)
    const { promise, resolve, reject } = Promise.withResolvers<ReadMail>()
    worker.once('message', resolve)
    worker.once('error', (cause) =>
      reject(
        new MailRefusal(
          554,
          'Expected a mail that can be read: its parts are nested too deep, too large or malformed',
          { cause },
        ),
      ),
    )
    worker.once('exit', () => reject(new MailRefusal(451, 'The mail could not be read now. Try again later')))
    const timer = setTimeout(
      () => reject(new MailRefusal(451, 'The mail took too long to read. Try again later')),
      timeoutMs,
    )
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      workers.delete(worker)
      await worker.terminate()
    }
  }

  return {
    async read(raw) {
      if (hasMoreLines(raw, mostLines))
        throw new MailRefusal(552, `Expected a mail of at most ${mostLines} lines, got more`)
      await enter()
      try {
        return await parse(raw)
      } finally {
        leave()
      }
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.terminate()))
    },
  }
}

function hasMoreLines(raw: Uint8Array, most: number): boolean {
  let lines = 0
  for (let at = raw.indexOf(10); at !== -1; at = raw.indexOf(10, at + 1)) if (++lines > most) return true
  return false
}
