import { FlowError } from '../../engine/errors.ts'
import { flag, list, numberTemplate, path, read, template, texts } from '../../engine/fields.ts'
import { MOST_BYTES } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { Refusal } from '../services/listing.ts'
import { failed, failureFields } from './connection-fields.ts'
import { needed } from './provider.ts'

const MOST_ARGUMENTS = 10_000
const PORT = 6379

export const redis = defineNode({
  type: 'redis',
  aliases: ['RedisNode'],
  group: 'network',
  title: 'Redis',
  summary: 'Sends a command to a Redis server and puts its reply on the payload.',
  outputs: ['next'],
  needs: ['connections'],
  config: {
    host: template({
      key: 'host',
      label: 'Host',
      help: 'Hosts inside the network are refused, unless the server allows them.',
    }),
    port: numberTemplate({ key: 'port', label: 'Port', help: '1 to 65535; 6379 when empty.', default: PORT }),
    user: template({ key: 'username', label: 'User name', help: 'Empty: the default user.' }),
    password: template({ key: 'password', label: 'Password', help: 'Empty: none.' }),
    database: numberTemplate({
      key: 'dbNumber',
      label: 'Database',
      help: 'A whole number from 0; 0 when empty.',
      default: 0,
    }),
    cluster: flag({ key: 'isCluster', label: 'Is a cluster', help: 'On: asks the members below. Off: the one host.' }),
    members: list({
      key: 'clusterMembers',
      label: 'Members of the cluster',
      help: 'At most 50; one is enough to find the others.',
      most: 50,
      of: {
        host: template({ key: 'host', label: 'Host', help: 'Of a member.' }),
        port: numberTemplate({ key: 'port', label: 'Port', help: '1 to 65535; 6379 when empty.', default: PORT }),
      },
    }),
    tls: flag({ key: 'tlsOn', label: 'TLS', help: 'Off: the connection is not encrypted.' }),
    ca: template({
      key: 'caCertTemplate',
      label: 'CA certificate',
      help: 'With TLS, in PEM form: an authority to trust. Empty: those that everybody trusts.',
    }),
    command: template({ key: 'command', label: 'Command', help: 'Such as GET.', required: true }),
    args: texts({
      key: 'arguments',
      label: 'Arguments',
      help: 'Of the command, in their order, each as text; at most 5 MB together.',
    }),
    argsFrom: read({ key: 'argumentsPath', label: 'Arguments from', help: 'A list; in place of those above.' }),
    result: path({ key: 'resultPath', label: 'Result', help: 'The reply as Redis gives it.', writes: true }),
    ...failureFields,
  },
  examples: [
    {
      title: 'Count visits',
      config: {
        host: 'redis.example.com',
        password: '{{globals.redisPassword}}',
        tlsOn: true,
        command: 'INCR',
        arguments: ['visits:{{data.page}}'],
        resultPath: 'working.visits',
      },
      payload: { globals: { redisPassword: 'example' }, data: { page: 'home' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const { cluster, user, password, database, command, ca } = config
    const given = cluster ? config.members : [{ host: config.host, port: config.port }]
    const hosts = given.map(({ host, port }) => ({ host: needed('Host', host), port: portOf(port) }))
    if (hosts.length === 0) throw new FlowError('config.empty', 'Expected at least one member of the cluster, got none')
    if (!Number.isInteger(database) || database < 0) {
      throw new FlowError('config.type', `Expected "Database" to be a whole number from 0, got ${database}`)
    }
    const tls = config.tls ? { verify: true, ...(ca.trim() === '' ? {} : { ca }) } : undefined
    try {
      const args = argumentsOf(config)
      const target = { hosts, cluster, user: user.trim(), password, database, tls }
      config.result.write(await use.connections.redis({ ...target, command: command.trim(), args, signal }))
    } catch (error) {
      failed(error, config)
    }
  },
})

function argumentsOf(given: { args: string[]; argsFrom: unknown }): string[] {
  const args = listOf(given)
  const chars = args.reduce((sum, one) => sum + one.length, 0)
  if (chars <= MOST_BYTES) return args
  throw new Refusal('Validation', `Expected arguments of at most ${MOST_BYTES} characters in all, got ${chars}`)
}

function listOf({ args, argsFrom }: { args: string[]; argsFrom: unknown }): string[] {
  if (argsFrom === undefined || argsFrom === null) return args
  const list: unknown[] = Array.isArray(argsFrom) ? argsFrom : [argsFrom]
  if (list.length > MOST_ARGUMENTS) {
    throw new Refusal('Validation', `Expected at most ${MOST_ARGUMENTS} arguments, got ${list.length}`)
  }
  return list.map((one) => (typeof one === 'string' ? one : (JSON.stringify(one) ?? '')))
}

/** Throws `config.type` for what is no port. */
export function portOf(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new FlowError('config.type', `Expected "Port" to be a number from 1 to 65535, got ${port}`)
}
