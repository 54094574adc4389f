import { byType, choice, json, list, path, read, template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { mongoMethods } from '../services/connections.ts'
import { failed, failureFields } from './connection-fields.ts'
import { needed } from './provider.ts'

export const mongo = defineNode({
  type: 'mongo',
  aliases: ['MongoNode'],
  group: 'network',
  title: 'MongoDB',
  summary: 'Asks a collection of a MongoDB server and puts the answer on the payload.',
  outputs: ['next'],
  needs: ['connections', 'credentials'],
  config: {
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'Name of a stored one, in place of the address. Empty: the address below.',
    }),
    uri: template({
      key: 'mongoUriTemplate',
      label: 'Address',
      help: 'mongodb://user:password@host/database. Hosts inside the network are refused, unless the server allows them.',
    }),
    collection: template({
      key: 'collectionNameTemplate',
      label: 'Collection',
      help: 'Of the database that the address names.',
      required: true,
    }),
    method: choice({
      key: 'mongoMethod',
      label: 'Method',
      help: 'What is asked of the collection; count when empty.',
      of: mongoMethods,
    }),
    args: list({
      key: 'mongoArgs',
      label: 'Arguments',
      help: 'In the order of the method, as extended JSON: {"_id": {"$oid": "{{data.id}}"}}.',
      most: 10,
      of: {
        value: byType({
          key: 'value',
          label: 'Argument',
          help: 'JSON, a template of text, or a path.',
          typeKey: 'valueType',
          default: 'json',
          kinds: { json: json(), template: template(), path: read() },
        }),
      },
    }),
    result: path({ key: 'resultPath', label: 'Result', help: 'As JSON: ids and dates as text.', writes: true }),
    ...failureFields,
  },
  examples: [
    {
      title: 'Find large orders',
      config: {
        mongoUriTemplate: '{{globals.mongoUri}}',
        collectionNameTemplate: 'orders',
        mongoMethod: 'find',
        mongoArgs: [
          { valueType: 'json', value: '{ "total": { "$gt": {{data.least}} } }' },
          { valueType: 'json', value: '{ "sort": { "total": -1 }, "limit": 10 }' },
        ],
        resultPath: 'working.orders',
      },
      payload: { globals: { mongoUri: 'mongodb://reader:example@db.example.com/shop' }, data: { least: 100 } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const { method } = config
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'mongodb' })
    const uri = stored?.connectionUri ?? needed('Address', config.uri)
    const collection = config.collection.trim()
    const args = config.args.map(({ value }) => value)
    try {
      config.result.write(await use.connections.mongo({ uri, collection, method, args, signal }))
    } catch (error) {
      failed(error, config)
    }
  },
})
