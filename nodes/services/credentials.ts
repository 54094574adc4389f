/** The settings of stored credentials, by their type, in the published words. */
export interface CredentialSettings {
  aws: { accessKeyId: string; secretAccessKey: string; region: string }
  certificateKeyPair: { certificate: string; privateKey: string }
  http: {
    /** The credential is for URLs that begin with it. */
    uriMatch: string
    authMethod: 'header' | 'queryParam' | 'basicAuth' | 'clientCertificate'
    /** Name of the header or parameter, the user, or the certificate. */
    publicValue?: string
    secretValue: string
  }
  jwt: { issuer?: string; algorithm: string; secret: string }
  mailgun: { apiKey: string }
  mongodb: { connectionUri: string }
  sendgrid: { apiKey: string }
  sql: {
    system: 'mssql' | 'mysql' | 'pg'
    host: string
    username: string
    password: string
    port?: number
    secureConnection?: boolean
    disableSSLVerification?: boolean
    caCertificate?: string
  }
  twilio: { accountSid: string; apiKeySid: string; apiKeySecret: string }
}

export type CredentialType = keyof CredentialSettings

export interface Credentials {
  /** Throws FlowError `credential.missing`, also for one of another type, and `credential.unreadable`. */
  get<T extends CredentialType>(name: string, type: T): Promise<CredentialSettings[T]>
}
