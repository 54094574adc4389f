import { expect, test } from 'vitest'
import { openTokens } from '../../../server/resources/tokens.ts'

function open() {
  const world = { secret: 'one secret of thirty-two letters', now: Date.UTC(2026, 0, 1) }
  const of = (application: string) => openTokens({ application, secret: () => world.secret, now: () => world.now })
  return { world, of, tokens: of('app') }
}

test('a token that was good is refused once it has expired, though its signature was checked before', async () => {
  const { world, tokens } = open()
  const token = await tokens.sign({ userId: 'u1', issuedAt: world.now, expiresAt: world.now + 1_000 })
  expect(await tokens.read(token)).toMatchObject({ userId: 'u1' })
  world.now += 999
  expect(await tokens.read(token)).toMatchObject({ userId: 'u1' })
  world.now += 1
  expect(await tokens.read(token)).toBeUndefined()
})

test('a token that was good is refused once the secret is another, also when that changes in the middle', async () => {
  const { world, tokens } = open()
  const token = await tokens.sign({ userId: 'u1', issuedAt: world.now })
  expect(await tokens.read(token)).toMatchObject({ userId: 'u1' })
  world.secret = 'quite another secret of as many'
  expect(await tokens.read(token)).toBeUndefined()
  const late = await tokens.sign({ userId: 'u2', issuedAt: world.now })
  const reading = tokens.read(late)
  world.secret = 'a third secret, after the others'
  await Promise.all([reading, tokens.read('x.y.z')])
  expect(await tokens.read(late)).toBeUndefined()
})

test('another application refuses it, with the same secret', async () => {
  const { world, of, tokens } = open()
  const token = await tokens.sign({ userId: 'u1', issuedAt: world.now })
  expect(await tokens.read(token)).toMatchObject({ userId: 'u1' })
  expect(await of('other').read(token)).toBeUndefined()
})

test.each(['payload', 'signature'])(
  'a token whose %s was changed is refused after the good one was read',
  async (part) => {
    const { world, tokens } = open()
    const token = await tokens.sign({ userId: 'u1', issuedAt: world.now })
    await tokens.read(token)
    const parts = token.split('.')
    const at = part === 'payload' ? 1 : 2
    parts[at] = `${parts[at]!.startsWith('A') ? 'B' : 'A'}${parts[at]!.slice(1)}`
    expect(await tokens.read(parts.join('.'))).toBeUndefined()
  },
)
