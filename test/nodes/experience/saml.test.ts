import { inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { samlLogin } from '../../../nodes/experience/saml-login.ts'
import { samlVerify } from '../../../nodes/experience/saml-verify.ts'
import { runNode } from '../../helpers/run-node.ts'
import { attribute, consumer, openProvider, type ResponseOptions, service, serviceMetadata } from './saml-provider.ts'

const provider = openProvider()
const other = openProvider()
const config = { spMetadataTemplate: '{{sp}}', idpMetadataTemplate: '{{idp}}', resultPath: 'r' }

const verify = (response: string, more: Record<string, unknown> = {}) =>
  runNode(samlVerify, {
    config: { ...config, samlResponseTemplate: '{{data.body.SAMLResponse}}' },
    payload: { sp: serviceMetadata, idp: provider.metadata, data: { body: { SAMLResponse: response } }, ...more },
  })

test('a login goes to the provider, with a request of this service', async () => {
  const run = await runNode(samlLogin, { config, payload: { sp: serviceMetadata, idp: provider.metadata } })
  expect(run).toMatchObject({ output: 'next', error: undefined, problems: [] })
  const url = new URL((run.payload.r as { redirectUrl: string }).redirectUrl)
  expect(url.origin + url.pathname).toBe('https://idp.example.com/sso')
  expect(url.searchParams.get('x')).toBe('1')
  const request = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest')!, 'base64')).toString()
  expect(request).toContain(`AssertionConsumerServiceURL="${consumer}"`)
  expect(request).toContain(`>${service}</saml:Issuer>`)
  expect(request).toContain('nameid-format:emailAddress')
})

test.each<[string, string, string, string]>([
  ['no metadata of the service', 'hello', provider.metadata, 'of the service'],
  ['metadata of the provider twice', provider.metadata, provider.metadata, 'of the service'],
  ['no metadata of the provider', serviceMetadata, '<a/>', 'of the identity provider'],
  [
    'a provider without an address',
    serviceMetadata,
    provider.metadata.replaceAll('HTTP-Redirect', 'SOAP'),
    'SingleSignOnService',
  ],
  [
    'a provider at a script',
    serviceMetadata,
    provider.metadata.replace('https://idp.example.com/sso', 'javascript:x'),
    'web address',
  ],
  [
    'a service without an address',
    serviceMetadata.replaceAll('HTTP-POST', 'SOAP'),
    provider.metadata,
    'AssertionConsumerService',
  ],
  ['metadata without end', serviceMetadata + ' '.repeat(300_000), provider.metadata, 'at most 262144 characters'],
])('%s is an error at the result path', async (_, sp, idp, message) => {
  const run = await runNode(samlLogin, { config, payload: { sp, idp } })
  expect(run).toMatchObject({ output: 'next', error: undefined })
  expect(run.payload.r).toEqual({ error: { type: 'Validation', message: expect.stringContaining(message) } })
})

test.each(['assertion', 'response'] as const)('a response whose %s is signed is valid', async (signs) => {
  const attributes = attribute('name', 'Ada') + attribute('groups', 'a', 'b') + attribute('empty')
  const run = await verify(provider.respond({ signs, attributes }))
  expect(run).toMatchObject({ output: 'valid', error: undefined, problems: [] })
  expect(run.payload.r).toMatchObject({
    nameId: 'ada@example.com',
    nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    sessionIndex: 's1',
    issuer: 'https://idp.example.com/',
    attributes: { name: 'Ada', groups: ['a', 'b'] },
  })
})

const evil = (xml: string) =>
  xml
    .match(/<saml:Assertion[\s\S]*<\/saml:Assertion>/)![0]
    .replace('ada@', 'eve@')
    .replace('ID="_a"', 'ID="_evil"')

test.each<[string, ResponseOptions]>([
  ['unsigned', { signs: 'nothing' }],
  ['changed after it was signed', { change: (xml) => xml.replace('ada@example.com', 'eve@example.com') }],
  ['changed after it was signed as a whole', { signs: 'response', change: (xml) => xml.replace('ada@', 'eve@') }],
  [
    'wrapped, the forged assertion first',
    { change: (xml) => xml.replace('<saml:Assertion', `${evil(xml)}<saml:Assertion`) },
  ],
  [
    'wrapped, the forged assertion last',
    { change: (xml) => xml.replace('</samlp:Response>', `${evil(xml)}</samlp:Response>`) },
  ],
  [
    'wrapped, the signed assertion hidden in the forged one',
    {
      change(xml) {
        const real = xml.match(/<saml:Assertion[\s\S]*<\/saml:Assertion>/)![0]
        const forged = evil(xml).replace(/<Signature[\s\S]*<\/Signature>/, '')
        return xml.replace(real, forged.replace('</saml:Issuer>', `</saml:Issuer><x>${real}</x>`))
      },
    },
  ],
  ['without its signature', { change: (xml) => xml.replace(/<Signature[\s\S]*<\/Signature>/, '') }],
  [
    'cut short by a comment',
    { change: (xml) => xml.replace('ada@example.com', 'ada@example.com<!---->.evil.example') },
  ],
  ['for another service', { audience: 'https://another.example.com' }],
  ['sent to another service', { recipient: 'https://another.example.com/acs' }],
  ['of another provider by name', { issuer: 'https://another.example.com/' }],
  ['over', { from: -500, until: -60 }],
  ['of the future', { from: 120, until: 500 }],
  ['with a DOCTYPE', { change: (xml) => `<!DOCTYPE x [<!ENTITY a "b">]>${xml}` }],
  ['no XML', { change: () => 'hello' }],
  ['XML without end', { change: () => '<a>'.repeat(50_000) }],
  ['XML that nests without end', { change: () => `${'<a>'.repeat(50_000)}${'</a>'.repeat(50_000)}` }],
  ['XML that ends without a beginning', { change: () => '</a>'.repeat(40_000) }],
  [
    'XML of many attributes',
    { change: () => `<a ${Array.from({ length: 20_000 }, (_, i) => `a${i}=""`).join(' ')}/>` },
  ],
  [
    'XML of many elements',
    { change: (xml) => xml.replace('<samlp:Status>', `${'<i/>'.repeat(30_000)}<samlp:Status>`) },
  ],
  ['XML of many namespaces', { change: () => `<a>${'<a xmlns:b="c">'.repeat(150)}` }],
  ['very large', { change: (xml) => xml + ' '.repeat(1 << 20) }],
])('a response that is %s is invalid', async (_, options) => {
  const run = await verify(provider.respond(options))
  expect(run).toMatchObject({ output: 'invalid', error: undefined })
  expect(run.payload.r).toEqual({ error: { type: 'Validation', message: expect.any(String) } })
  expect(JSON.stringify(run.payload.r)).not.toContain('eve@')
})

test('a response that another provider of the same name signed is invalid', async () => {
  expect(await verify(other.respond())).toMatchObject({ output: 'invalid' })
  expect(await verify(other.respond(), { idp: other.metadata })).toMatchObject({ output: 'valid' })
})

test.each(['', ' ', '%%%', 'a'.repeat(2 << 20)])('"%.10s" is no response', async (response) => {
  expect(await verify(response)).toMatchObject({ output: 'invalid', error: undefined })
})

test('metadata that renders to nothing fails the run', async () => {
  expect((await verify('x', { sp: '' })).error).toMatchObject({ code: 'config.empty' })
})

test('an attribute with the name of a prototype, or of what the library gives, changes nothing else', async () => {
  const names = ['__proto__', 'constructor', 'nameID', 'getAssertion', 'issuer', 'error']
  const run = await verify(provider.respond({ attributes: names.map((name) => attribute(name, 'x')).join('') }))
  expect(run).toMatchObject({
    output: 'valid',
    payload: { r: { nameId: 'ada@example.com', issuer: 'https://idp.example.com/' } },
  })
  expect(({} as { x?: unknown }).x).toBeUndefined()
})
