import type { Config } from '../config.ts'
import { FILES_PREFIX } from '../experience/files.ts'
import { publicOrigin } from '../public-url.ts'
import type { HostUrls } from './references.ts'

/** Where the hosts are that texts of an application name: as this server serves them, under the application's slug. */
export function hostUrlsOf(config: Pick<Config, 'port' | 'baseDomain' | 'publicUrl'>, slug: string): HostUrls {
  const admin = publicOrigin(config, config.baseDomain)
  const experience = publicOrigin(config, `${slug}.${config.baseDomain}`)
  return {
    'files-domain': `${experience}${FILES_PREFIX.replace(/\/$/, '')}`,
    'docs-url': 'https://docs.losant.com',
    'app-url': admin,
    'triggers-url': admin,
    'broker-url': config.baseDomain,
    'endpoint-domain': admin,
  }
}
