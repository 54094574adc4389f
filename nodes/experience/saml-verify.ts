import { path, template } from '../../engine/fields.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { readResponse } from './saml.ts'
import { readProvider, readService } from './saml-metadata.ts'

export const samlVerify = defineNode({
  type: 'saml-verify',
  aliases: ['SamlVerifyNode'],
  group: 'experience',
  title: 'SAML: Verify',
  summary: 'Takes one of two ways by whether a SAML response is signed by the provider and meant for this service.',
  outputs: ['invalid', 'valid'],
  needs: [],
  config: {
    service: template({
      key: 'spMetadataTemplate',
      label: 'Metadata of the service',
      help: 'XML, with an EntityDescriptor of this application.',
      required: true,
    }),
    provider: template({
      key: 'idpMetadataTemplate',
      label: 'Metadata of the identity provider',
      help: 'XML, as the provider gives it.',
      required: true,
    }),
    response: template({ key: 'samlResponseTemplate', label: 'Response', help: 'As it was posted.' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'What the provider says of the user, or { error: { type, message } }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Metadata of neither',
      config: {
        spMetadataTemplate: '<a/>',
        idpMetadataTemplate: '<b/>',
        samlResponseTemplate: '{{data.body.SAMLResponse}}',
      },
      payload: { data: { body: {} } },
      output: 'invalid',
      result: { data: { body: {} } },
    },
  ],
  async run({ config }) {
    const verify = async () => {
      const parties = { service: await readService(config.service), provider: await readProvider(config.provider) }
      return await readResponse(config.response.trim(), parties)
    }
    const found = await orError(verify)
    config.result.write(copyBounded(found))
    return 'error' in found ? 'invalid' : 'valid'
  },
})
