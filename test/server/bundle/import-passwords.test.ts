import { describe, expect, test } from 'vitest'
import { openPasswordBook, openPasswords, type PasswordFields } from '../../../server/bundle/import-passwords.ts'
import { checkPassword } from '../../../server/resources/passwords.ts'

const book = openPasswordBook()
let time = 0
const now = () => ++time

async function one(
  options: { password?: string; passwordFor?: 'first' | 'imported' },
  user: { own?: string; current?: PasswordFields } = {},
) {
  const passwords = openPasswords({ ...options, passwordBook: book, now })
  const fields = await passwords.fieldsOf({ email: 'ann@example.com', ...user })
  const how = Object.entries(passwords.signIn).flatMap(([name, users]) => (users.length > 0 ? name : []))
  return { fields, how: how[0], current: { ...user.current, ...fields } }
}

const opens = (password: string, { passwordHash }: PasswordFields) => checkPassword(password, passwordHash)

describe('the password of an imported user', () => {
  test('is the given one where there is none, and stays that at the next import', async () => {
    const first = await one({ password: 'generated-1' })
    expect(first.how).toBe('given')
    expect(await opens('generated-1', first.current)).toBe(true)
    expect(await one({ password: 'generated-1' }, first)).toMatchObject({ fields: {}, how: 'given' })
  })

  test('gives way to one that somebody asks for, but not to one that nobody asked for', async () => {
    const first = await one({ password: 'generated-1' })
    const asked = await one({ password: 'asked-for-1', passwordFor: 'imported' }, first)
    expect(asked.how).toBe('given')
    expect(await opens('asked-for-1', asked.current)).toBe(true)
    expect(await one({ password: 'generated-1' }, asked)).toMatchObject({ fields: {}, how: 'other' })
  })

  test('is left alone once its user chose another', async () => {
    const first = await one({ password: 'generated-1' })
    const current = { ...first.current, passwordHash: await book.hash('my-own-one'), passwordLastUpdated: now() }
    expect(await one({ password: 'asked-for-1', passwordFor: 'imported' }, { current })).toMatchObject({
      ...{ fields: {}, how: 'other' },
    })
    expect(await one({}, { own: 'of-the-folder', current })).toMatchObject({ fields: {}, how: 'other' })
  })

  test('comes from the folder where it says one, and follows what it says', async () => {
    const first = await one({ password: 'asked-for-1', passwordFor: 'imported' }, { own: 'of-the-folder' })
    expect(first.how).toBe('other')
    expect(await opens('of-the-folder', first.current)).toBe(true)
    expect((await one({}, { own: 'of-the-folder', current: first.current })).fields).toEqual({})
    const next = await one({}, { own: 'of-the-new-folder', current: first.current })
    expect(await opens('of-the-new-folder', next.current)).toBe(true)
  })

  test('is none where nobody gives one', async () => {
    expect(await one({})).toMatchObject({ fields: {}, how: 'none' })
  })
})

test('makes one hash for all who get one password', async () => {
  const passwords = openPasswords({ password: 'shared-word', passwordBook: book, now })
  const [ann, bob] = [await passwords.fieldsOf({ email: 'a@b' }), await passwords.fieldsOf({ email: 'b@b' })]
  expect(ann.passwordHash).toBe(bob.passwordHash)
})
