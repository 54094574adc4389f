import { FlowError } from '../engine/errors.ts'
import type { CredentialSettings, Credentials, CredentialType } from './services.ts'

/**
 * The settings of the stored credential that a node names; undefined for a blank name: nothing is asked for. Throws FlowError
 * `credential.*`.
 */
export async function credentialOf<T extends CredentialType>(
  credentials: Credentials | undefined,
  { name, type }: { name: string; type: T },
): Promise<CredentialSettings[T] | undefined> {
  const wanted = name.trim()
  if (wanted === '') return undefined
  if (credentials) return await credentials.get(wanted, type)
  const message = `Expected the stored credential "${wanted.slice(0, 100)}", but there are none here. Give the key or secret itself.`
  throw new FlowError('credential.missing', message)
}
