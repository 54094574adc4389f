import { type Markup, parseMarkup } from '../logic/markup.ts'
import { Refusal } from '../services/listing.ts'

/** The service that users sign in to. */
export interface SamlService {
  entityId: string
  /** Where responses are posted to; the first is asked for. */
  consumers: string[]
  nameIdFormat: string | undefined
}

/** Who says who a user is. */
export interface SamlProvider {
  entityId: string
  /** Where a browser is sent (HTTP-Redirect). */
  signOnUrl: string
  /** Base64 of the certificates that sign. */
  certificates: string[]
}

const MOST_CHARS = 262_144
const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const post = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'

/** Throws Refusal for what is no metadata of a service. */
export async function readService(xml: string): Promise<SamlService> {
  const entity = await entityOf(xml, 'SPSSODescriptor', 'service')
  const consumers = findAll(entity.role, 'AssertionConsumerService').filter(({ attribs }) => attribs.Binding === post)
  const locations = consumers.flatMap(({ attribs }) => (attribs.Location ? [attribs.Location] : []))
  if (locations.length === 0) throw missing('service', 'an AssertionConsumerService for HTTP-POST')
  const format = findAll(entity.role, 'NameIDFormat')[0]
  return { entityId: entity.id, consumers: locations, nameIdFormat: format && (textOf(format) || undefined) }
}

/** Throws Refusal for what is no metadata of an identity provider. */
export async function readProvider(xml: string): Promise<SamlProvider> {
  const entity = await entityOf(xml, 'IDPSSODescriptor', 'identity provider')
  const services = findAll(entity.role, 'SingleSignOnService')
  const signOnUrl = services.find(({ attribs }) => attribs.Binding === redirect)?.attribs.Location
  if (signOnUrl === undefined || !/^https?:\/\//i.test(signOnUrl)) {
    throw missing('identity provider', 'a SingleSignOnService for HTTP-Redirect with a web address')
  }
  const signing = findAll(entity.role, 'KeyDescriptor').filter(({ attribs }) => attribs.use !== 'encryption')
  const certificates = signing
    .flatMap((descriptor) => findAll(descriptor, 'X509Certificate'))
    .map((one) => textOf(one).replace(/\s+/g, ''))
  if (certificates.length === 0) throw missing('identity provider', 'a certificate that signs')
  return { entityId: entity.id, signOnUrl, certificates }
}

type Parent = Pick<Markup['root'], 'children'>
type Element = Extract<Markup['root']['children'][number], { attribs: unknown }>

async function entityOf(xml: string, role: string, what: string): Promise<{ id: string; role: Element }> {
  if (xml.length > MOST_CHARS) {
    throw new Refusal('Validation', `Expected metadata of at most ${MOST_CHARS} characters, got ${xml.length}`)
  }
  const { root } = await parseMarkup(xml, () => undefined)
  for (const entity of findAll(root, 'EntityDescriptor')) {
    const [found] = findAll(entity, role)
    if (found !== undefined && entity.attribs.entityID) return { id: entity.attribs.entityID, role: found }
  }
  throw missing(what, `an EntityDescriptor with an entityID and ${role}`)
}

/** Elements below, whatever the prefix of their namespace is called. The tree is at most 200 deep. */
function findAll(parent: Parent, name: string): Element[] {
  return parent.children.flatMap((child) => {
    if (!('attribs' in child)) return []
    const below = findAll(child, name)
    return child.name.replace(/^.*:/, '') === name ? [child, ...below] : below
  })
}

function textOf(element: Element): string {
  return element.children
    .map((child) => ('data' in child ? child.data : ''))
    .join('')
    .trim()
}

function missing(what: string, expected: string): Refusal {
  return new Refusal('Validation', `Expected XML metadata of the ${what} with ${expected}, got none`)
}
