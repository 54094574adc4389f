import type { Config } from './config.ts'

/** Where people reach a host of this server, as `https://generators.example.com`: by PUBLIC_URL, else straight at PORT. */
export function publicOrigin({ publicUrl, port }: Pick<Config, 'publicUrl' | 'port'>, host: string): string {
  const { protocol, port: publicPort } = new URL(publicUrl ?? `http://localhost:${port}`)
  return `${protocol}//${host}${publicPort === '' ? '' : `:${publicPort}`}`
}
