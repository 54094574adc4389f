import { FILES_PREFIX } from '../experience/files.ts'
import type { HostUrls } from './references.ts'

/** Where the hosts are that texts of an application name: as this server serves them, under the application's slug. */
export function hostUrlsOf(config: { port: number; baseDomain: string }, slug: string): HostUrls {
  const port = config.port === 80 ? '' : `:${config.port}`
  const admin = `http://${config.baseDomain}${port}`
  return {
    'files-domain': `http://${slug}.${config.baseDomain}${port}${FILES_PREFIX.replace(/\/$/, '')}`,
    'docs-url': 'https://docs.losant.com',
    'app-url': admin,
    'triggers-url': admin,
    'broker-url': config.baseDomain,
    'endpoint-domain': admin,
  }
}
