import type { Profile, SAML } from '@node-saml/node-saml'
import { Refusal } from '../services/listing.ts'
import type { SamlProvider, SamlService } from './saml-metadata.ts'

const CLOCK_SKEW_MS = 30_000
const MOST_CHARS = 262_144
const MOST_PARTS = 2_000

interface Parties {
  service: SamlService
  provider: SamlProvider
}

/** The address at which a user signs in, with the request in it. Throws Refusal. */
export async function signInUrl(parties: Parties): Promise<string> {
  const saml = await openSaml(parties)
  return await saml.getAuthorizeUrlAsync('', undefined, {})
}

/** What the provider says of a user. */
export interface SamlIdentity {
  nameId: string
  nameIdFormat: string | undefined
  sessionIndex: string | undefined
  issuer: string
  /** A value, or a list where there are several. */
  attributes: Record<string, unknown>
}

/**
 * Reads a response (base64). Throws Refusal unless it is signed by the provider, as a whole or in its one assertion, is meant for this
 * service and this moment (give or take 30 seconds), and was sent to one of its addresses.
 */
export async function readResponse(response: string, parties: Parties): Promise<SamlIdentity> {
  checkShape(response)
  const saml = await openSaml(parties)
  const profile = await read(saml, response)
  checkParties(profile, parties)
  const { nameID, nameIDFormat, sessionIndex, issuer, attributes } = profile
  return { nameId: nameID, nameIdFormat: nameIDFormat, sessionIndex, issuer, attributes: Object(attributes ?? {}) }
}

/**
 * The library that reads signatures takes minutes for XML of some shapes: what is too long or in too many parts never reaches it, nor
 * what no provider sends (comments, DOCTYPE) and forgers do.
 */
function checkShape(response: string): void {
  const refused = (expected: string) => new Refusal('Validation', `Expected a SAML response ${expected}`)
  if (response.length > MOST_CHARS) throw refused(`of at most ${MOST_CHARS} characters`)
  const xml = Buffer.from(response, 'base64').toString('utf8')
  if (xml.split('<', MOST_PARTS + 1).length > MOST_PARTS) throw refused(`of at most ${MOST_PARTS / 2} elements`)
  if (/<!|[\s\S]<\?/.test(xml)) throw refused('without comments, DOCTYPE and instructions')
  if (/<[^>]{8192}/.test(xml)) throw refused('with shorter tags')
}

async function read(saml: SAML, response: string): Promise<Profile> {
  try {
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: response })
    if (profile !== null) return profile
  } catch (error) {
    // Whatever it is that the response is not, it is not good.
    throw new Refusal('Validation', (error as Error).message.slice(0, 200), { cause: error })
  }
  throw new Refusal('Validation', 'Expected a SAML response with an assertion')
}

interface SignedAssertion {
  Assertion?: {
    Subject?: { SubjectConfirmation?: { SubjectConfirmationData?: { $?: { Recipient?: string } }[] }[] }[]
  }
}

/** Only what was signed is asked: it must name an address of this service, or it may be meant for another one. */
function checkParties(profile: Profile, { service, provider }: Parties): void {
  if (profile.issuer !== provider.entityId) {
    throw new Refusal('Validation', 'Expected a SAML response whose issuer is the identity provider')
  }
  const { Assertion } = (profile.getAssertion?.() ?? {}) as SignedAssertion
  const confirmations = Assertion?.Subject?.flatMap(({ SubjectConfirmation }) => SubjectConfirmation ?? []) ?? []
  const recipients = confirmations
    .flatMap(({ SubjectConfirmationData }) => SubjectConfirmationData ?? [])
    .map(({ $ }) => $?.Recipient)
  if (recipients.some((one) => one !== undefined && service.consumers.includes(one))) return
  throw new Refusal('Validation', 'Expected a SAML response whose recipient is this service')
}

/** Loaded only when a flow asks for it. */
async function openSaml({ service, provider }: Parties): Promise<SAML> {
  const { SAML } = await import('@node-saml/node-saml')
  return new SAML({
    ...{ issuer: service.entityId, audience: service.entityId, callbackUrl: service.consumers[0]! },
    ...{ entryPoint: provider.signOnUrl, idpIssuer: provider.entityId, idpCert: provider.certificates },
    ...{ identifierFormat: service.nameIdFormat ?? null, disableRequestedAuthnContext: true },
    // One of both must be: the library refuses what is signed nowhere.
    ...{ wantAssertionsSigned: false, wantAuthnResponseSigned: false, acceptedClockSkewMs: CLOCK_SKEW_MS },
  })
}
