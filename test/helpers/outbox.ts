import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'

/** The first link in the latest mail to an address; waits for a mail, since pages answer before it is sent. */
export async function linkInMail(outbox: string, to: string): Promise<string> {
  await expect.poll(() => mailsTo(outbox, to), { timeout: 10_000 }).not.toEqual([])
  const text = (await mailsTo(outbox, to))
    .at(-1)!
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return /href="([^"]+)"/.exec(text)![1]!
}

/** The mails to an address, by name of their files. */
export async function mailsTo(outbox: string, to: string): Promise<string[]> {
  const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml')).sort()
  const mails = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
  return mails.filter((one) => one.includes(`To: ${to}`))
}
