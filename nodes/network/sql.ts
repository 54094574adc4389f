import { FlowError } from '../../engine/errors.ts'
import { choiceTemplate, flag, numberTemplate, path, template, value } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import type { ConnectionTls } from '../services/connections.ts'
import type { CredentialSettings } from '../services/credentials.ts'
import { Refusal } from '../services/listing.ts'
import { tlsFrom } from './connection-fields.ts'
import { needed } from './provider.ts'
import { portOf } from './redis.ts'

export const sql = defineNode({
  type: 'sql',
  aliases: ['SqlNode'],
  group: 'network',
  title: 'SQL',
  summary: 'Sends a statement to a PostgreSQL or MySQL server and puts its rows on the payload.',
  outputs: ['next'],
  needs: ['connections', 'credentials'],
  config: {
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'Name of a stored one, in place of system, host, user and TLS. Empty: those below.',
    }),
    system: choiceTemplate({
      key: 'systemTemplate',
      label: 'System',
      help: 'pg or mysql; pg when empty.',
      of: ['mssql', 'mysql', 'pg'],
      default: 'pg',
    }),
    host: template({
      key: 'hostTemplate',
      label: 'Host',
      help: 'Hosts inside the network are refused, unless the server allows them.',
    }),
    port: numberTemplate({ key: 'portTemplate', label: 'Port', help: 'Blank: that of the system.' }),
    user: template({ key: 'userTemplate', label: 'User name', help: 'Needed where no credential is named.' }),
    password: template({ key: 'passwordTemplate', label: 'Password', help: 'Empty: none.' }),
    database: template({ key: 'databaseTemplate', label: 'Database', help: 'Empty: that of the user.' }),
    instance: template({
      key: 'instanceNameTemplate',
      label: 'Instance',
      help: 'Of mssql only, which is not supported here.',
    }),
    query: template({
      key: 'query',
      label: 'Statement',
      help: 'What a template puts into it is part of the statement: never the text of a user.',
      required: true,
    }),
    tls: flag({ key: 'sslOn', label: 'TLS', help: 'Off: the connection is not encrypted.' }),
    tlsData: value({
      key: 'sslDataTemplate',
      label: 'TLS data',
      help: 'The certificate of an authority in PEM form, or JSON with ca, cert, key and rejectUnauthorized.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'The rows, or ["success"], or { errors }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Read readings',
      config: {
        systemTemplate: 'pg',
        hostTemplate: 'db.example.com',
        userTemplate: 'reader',
        passwordTemplate: '{{globals.dbPassword}}',
        databaseTemplate: 'plant',
        sslOn: true,
        query: 'SELECT name, level FROM readings ORDER BY time DESC LIMIT 10',
        resultPath: 'working.readings',
      },
      payload: { globals: { dbPassword: 'example' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const { query } = config
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'sql' })
    const { system, ...server } = stored ? storedServer(stored) : serverOf(config)
    if (system === 'mssql') {
      throw new FlowError('service.failed', 'Expected the system to be pg or mysql: mssql is not supported here')
    }
    const target = { ...server, system, database: config.database.trim() }
    try {
      const rows = await use.connections.sql({ ...target, query, signal })
      config.result.write(rows ?? ['success'])
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      config.result.write({ errors: error.message })
    }
  },
})

interface Server {
  system: 'mssql' | 'mysql' | 'pg'
  host: string
  user: string
  password: string
  port: number | undefined
  tls: ConnectionTls | undefined
}

function serverOf(config: {
  system: Server['system']
  host: string
  user: string
  password: string
  port: number | undefined
  tls: boolean
  tlsData: unknown
}): Server {
  return {
    ...{ system: config.system, password: config.password },
    ...{ host: needed('Host', config.host), user: needed('User name', config.user) },
    port: config.port === undefined ? undefined : portOf(config.port),
    tls: config.tls ? tlsFrom(config.tlsData) : undefined,
  }
}

function storedServer(stored: CredentialSettings['sql']): Server {
  const { system, host, username: user, password, port, caCertificate: ca = '' } = stored
  const tls = { verify: stored.disableSSLVerification !== true, ...(ca === '' ? {} : { ca }) }
  return { system, host, user, password, port, tls: stored.secureConnection ? tls : undefined }
}
