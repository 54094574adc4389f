import type { CredentialSettings, Credentials, CredentialType } from './services/credentials.ts'

/**
 * The settings of the stored credential that a node names; undefined for a blank name: nothing is asked for. Throws FlowError
 * `credential.*`.
 */
export async function credentialOf<T extends CredentialType>(
  credentials: Credentials,
  { name, type }: { name: string; type: T },
): Promise<CredentialSettings[T] | undefined> {
  const wanted = name.trim()
  return wanted === '' ? undefined : await credentials.get(wanted, type)
}
