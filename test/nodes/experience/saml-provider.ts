import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { SignedXml } from 'xml-crypto'

/** A made-up identity provider: its metadata, and responses as it would post them. */
export interface TestProvider {
  metadata: string
  respond(options?: ResponseOptions): string
}

export interface ResponseOptions {
  signs?: 'assertion' | 'response' | 'nothing'
  audience?: string
  recipient?: string
  issuer?: string
  /** Seconds from now. */
  from?: number
  until?: number
  attributes?: string
  /** What a man in the middle makes of the signed XML. */
  change?: (xml: string) => string
}

export const service = 'https://app.example.com/saml'
export const consumer = 'https://app.example.com/saml/acs'
export const serviceMetadata = `<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${service}">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://no.example.com" index="0"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${consumer}" index="1"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>`

export function openProvider(entityId = 'https://idp.example.com/'): TestProvider {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = certificateOf(privateKey, publicKey).toString('base64')
  return {
    metadata: `<EntityDescriptor entityID="${entityId}" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">
      <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <KeyDescriptor use="encryption"><X509Certificate>bm9uZQ==</X509Certificate></KeyDescriptor>
        <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
          <X509Certificate>${certificate.replace(/.{64}/g, '$&\n')}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
        <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/post"/>
        <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?x=1"/>
      </IDPSSODescriptor></EntityDescriptor>`,
    respond({ signs = 'assertion', change = (xml: string) => xml, ...options } = {}) {
      const xml = responseOf({ issuer: entityId, ...options })
      const signed =
        signs === 'nothing' ? xml : signXml(xml, privateKey, signs === 'response' ? 'Response' : 'Assertion')
      return Buffer.from(change(signed)).toString('base64')
    },
  }
}

function responseOf(options: ResponseOptions): string {
  const { audience = service, recipient = consumer, issuer, from = -10, until = 60, attributes = '' } = options
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="${at(0)}" Destination="${recipient}"><saml:Issuer>${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ID="_a" Version="2.0" IssueInstant="${at(0)}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(until)}" Recipient="${recipient}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(from)}" NotOnOrAfter="${at(until)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="s1"/><saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>`
}

export const attribute = (name: string, ...values: string[]) =>
  `<saml:Attribute Name="${name}">${values.map((one) => `<saml:AttributeValue>${one}</saml:AttributeValue>`).join('')}</saml:Attribute>`

function signXml(xml: string, privateKey: KeyObject, element: string): string {
  const place = `//*[local-name(.)='${element}']`
  const signed = new SignedXml({
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  })
  signed.addReference({
    xpath: place,
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
  })
  signed.computeSignature(xml, { location: { reference: `${place}/*[local-name(.)='Issuer']`, action: 'after' } })
  return signed.getSignedXml()
}

/** A certificate that the key signs for itself: DER by hand, since Node reads certificates but makes none. */
function certificateOf(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const part = (tag: number, ...content: Buffer[]) => {
    const body = Buffer.concat(content)
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255]
    return Buffer.concat([Buffer.from([tag, ...length]), body])
  }
  const sha256WithRsa = part(0x30, Buffer.from('06092a864886f70d01010b', 'hex'), part(0x05))
  const name = part(0x30, part(0x31, part(0x30, Buffer.from('0603550403', 'hex'), part(0x0c, Buffer.from('idp')))))
  const validity = part(0x30, part(0x17, Buffer.from('200101000000Z')), part(0x17, Buffer.from('490101000000Z')))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const serial = part(0x02, Buffer.from([1]))
  const body = part(0x30, part(0xa0, part(0x02, Buffer.from([2]))), serial, sha256WithRsa, name, validity, name, key)
  return part(0x30, body, sha256WithRsa, part(0x03, Buffer.from([0]), sign('sha256', body, privateKey)))
}
