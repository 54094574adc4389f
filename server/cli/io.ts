import { ConfigError } from '../config.ts'
import { mostPassword } from '../resources/passwords.ts'

/** Where a command writes, and what it reads from outside. */
export interface CommandIo {
  out(line: string): void
  err(line: string): void
  env: NodeJS.ProcessEnv
  /** All of standard input; default that of the process. */
  input?(): Promise<string>
}

/** Throws ConfigError for a password that cannot be given to anybody. */
export function checkPasswordOption(password: string | undefined): void {
  if (password === undefined || (password.length >= 8 && password.length <= mostPassword)) return
  throw new ConfigError(`--password: expected 8 to ${mostPassword} characters, got ${password.length}`)
}
