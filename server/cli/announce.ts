import type { ImportedFolder } from '../bundle/import-folder.ts'

const mostNames = 8

/** What a person reads when the server is up: where each application is, and how to sign in. */
export function announcement(
  applications: readonly ImportedFolder[],
  { password, urlOf }: { password: string; urlOf(host: string): string },
): string[] {
  const lines = applications.flatMap(({ name, host, versions, signIn }) => [
    '',
    `  ${name}: ${urlOf(host)}`,
    ...versions.map((one) => `    ${one.version}: ${urlOf(one.host)}`),
    ...listed('Sign in as', signIn.given),
    ...listed('With another password', signIn.other),
    ...listed('Without a password', signIn.none),
  ])
  if (applications.some(({ signIn }) => signIn.given.length > 0)) lines.push('', `  Password: ${password}`)
  return [...lines, '']
}

function listed(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : ''
  return [`  ${title}: ${names.slice(0, mostNames).join(', ')}${more}`]
}
