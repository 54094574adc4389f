import { checkPassword, hashPassword } from '../resources/passwords.ts'
import type { UserDocument } from '../store/documents/people.ts'

/** What a user document holds of a password that came with an import. */
export type PasswordFields = Pick<UserDocument, 'passwordHash' | 'passwordLastUpdated' | 'passwordImportedAt'>

/** Hashes that were made and checked: a hash takes long on purpose, and users who get the same password share one. */
export interface PasswordBook {
  hash(password: string): Promise<string>
  fits(password: string, hash: string): Promise<boolean>
}

/** Keeps what it did until it is thrown away: for one import, or for all the imports of a process. */
export function openPasswordBook(): PasswordBook {
  const hashes = new Map<string, Promise<string>>()
  const checks = new Map<string, Promise<boolean>>()
  return {
    hash(password) {
      const known = hashes.get(password)
      if (known) return known
      const made = hashPassword(password)
      hashes.set(password, made)
      return made
    },
    async fits(password, hash) {
      if ((await hashes.get(password)) === hash) return true
      const key = JSON.stringify([password, hash])
      const known = checks.get(key)
      if (known) return known
      const checked = checkPassword(password, hash)
      checks.set(key, checked)
      return checked
    },
  }
}

/** Which passwords an import gives, and to whom. */
export interface PasswordOptions {
  /** For users that come without one; without it they cannot sign in until they get one. */
  password?: string
  /**
   * `first` (default): users who have none yet. `imported`: also those who have one that an earlier import gave them. Nobody
   * loses a password that they chose themselves.
   */
  passwordFor?: 'first' | 'imported'
  /** Default one for this import alone. */
  passwordBook?: PasswordBook
}

/** How the users of a bundle sign in after an import, by e-mail address. */
export interface SignIn {
  /** With the password that the import was given. */
  given: string[]
  /** With another: their own, one that is in the folder, or that of an earlier import. */
  other: string[]
  /** Not at all: they have no password. */
  none: string[]
}

/** A user as they are, and the password that stands in the folder. */
export interface ImportedUser {
  email: string
  own?: string
  current?: PasswordFields
}

/** Decides on the password of each user: what to write, if anything. Who signs in how is then in `signIn`. */
export function openPasswords(options: PasswordOptions & { now(): number }): {
  signIn: SignIn
  fieldsOf(user: ImportedUser): Promise<PasswordFields>
} {
  const { password: given, passwordBook: book = openPasswordBook(), now } = options
  const signIn: SignIn = { given: [], other: [], none: [] }

  async function decide({ own, current = {} }: ImportedUser): Promise<{ fields: PasswordFields; how: keyof SignIn }> {
    const { passwordHash, passwordLastUpdated, passwordImportedAt } = current
    const chosen = own ?? given
    const how = own === undefined ? 'given' : 'other'
    const make = async (password: string): Promise<PasswordFields> => {
      const time = now()
      return { passwordHash: await book.hash(password), passwordLastUpdated: time, passwordImportedAt: time }
    }
    if (passwordHash === undefined) {
      return chosen === undefined ? { fields: {}, how: 'none' } : { fields: await make(chosen), how }
    }
    // Every other way to set a password leaves a later time.
    const imported = passwordImportedAt !== undefined && passwordImportedAt === passwordLastUpdated
    if (!imported || chosen === undefined) return { fields: {}, how: 'other' }
    if (await book.fits(chosen, passwordHash)) return { fields: {}, how }
    const replaces = own !== undefined || options.passwordFor === 'imported'
    return replaces ? { fields: await make(chosen), how } : { fields: {}, how: 'other' }
  }

  return {
    signIn,
    async fieldsOf(user) {
      const { fields, how } = await decide(user)
      signIn[how].push(user.email)
      return fields
    },
  }
}
