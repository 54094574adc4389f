import { parseArgs } from 'node:util'
import { reportFolder } from '../bundle/import-folder.ts'
import { printProblems, printUnsupported } from '../bundle/report.ts'
import { ConfigError, readConfig } from '../config.ts'
import { missingCredentials } from '../resources/credential-names.ts'
import { openStore } from '../store/open.ts'
import { type CommandIo, checkPasswordOption } from './io.ts'

/** `import DIR [--slug S] [--password P] [--json]`: makes or updates an application. Exit code 1 when it cannot. */
export async function importCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { slug: { type: 'string' }, password: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const [dir] = positionals
  if (dir === undefined || positionals.length > 1) {
    throw new ConfigError('Expected one folder: import DIR [--slug S] [--password P] [--json]')
  }
  const { slug, password, json } = values
  checkPasswordOption(password)
  const config = readConfig(io.env)
  const store = await openStore(config.storeUrl, config.storeFile)
  try {
    const { report, sources } = await reportFolder({ store, folder: dir, slug, password, passwordFor: 'imported', io })
    if (json) io.out(JSON.stringify(report, null, 2))
    else {
      for (const line of printProblems(report.problems, sources)) io.err(line)
      for (const line of printUnsupported(report.unsupported)) io.err(line)
      for (const [name, { created, updated, removed, unchanged }] of Object.entries(report.changes)) {
        io.out(`${name}: ${created} created, ${updated} updated, ${removed} removed, ${unchanged} unchanged`)
      }
      const { none } = report.signIn
      if (none.length > 0) io.out(`${none.length} users have no password and cannot sign in: --password gives them one`)
      io.out(report.imported ? `Imported "${report.name}" as ${report.slug}` : 'Nothing was imported')
      for (const { version, slug } of report.versionHosts) io.out(`  ${version} as ${slug}`)
      for (const { name, url } of report.webhooks) io.out(`  webhook ${name}: ${url}`)
      for (const name of report.imported ? await missingCredentials(store.app(report.scope)) : []) {
        io.out(`  flows ask for the credential "${name}": headgate credential set ${report.slug} "${name}" TYPE`)
      }
    }
    return report.imported ? 0 : 1
  } finally {
    await store.close()
  }
}
