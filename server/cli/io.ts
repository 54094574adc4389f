/** Where a command writes, and what it reads from outside. */
export interface CommandIo {
  out(line: string): void
  err(line: string): void
  env: NodeJS.ProcessEnv
}
