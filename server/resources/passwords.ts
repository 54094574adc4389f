import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

/** 19 MiB, two passes: the least that is recommended for argon2id, so that many can log in at once. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }

/** Longer passwords are refused when set; checking one is a cheap "no". */
export const mostPassword = 2_048

/** argon2id in PHC form, with a salt of its own. Done outside the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const tag = await derive('argon2id', { ...cost, message: password, nonce })
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${plain(nonce)}$${plain(tag)}`
}

/** Without a hash (no such user, no password) false, after the time that a check takes. */
export async function checkPassword(password: string, hash: string | undefined): Promise<boolean> {
  if (password.length > mostPassword) return false
  const parts = hash === undefined ? undefined : parse(hash)
  const { memory, passes, parallelism, nonce, tag } = parts ?? dummy
  const found = await derive('argon2id', {
    memory,
    passes,
    parallelism,
    nonce,
    tagLength: tag.length,
    message: password,
  })
  // Constant time: how much of a hash was right must not show.
  return timingSafeEqual(found, tag) && parts !== undefined
}

interface Parts {
  memory: number
  passes: number
  parallelism: number
  nonce: Buffer
  tag: Buffer
}

const dummy: Parts = { ...cost, nonce: randomBytes(16), tag: randomBytes(cost.tagLength) }

function parse(hash: string): Parts | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,172})$/.exec(
      hash,
    )
  if (match === null) return undefined
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number]
  return { memory, passes, parallelism, nonce: Buffer.from(match[4]!, 'base64'), tag: Buffer.from(match[5]!, 'base64') }
}

function plain(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
