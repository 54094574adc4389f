import type { ClientMessage, Reply } from '../../nodes/services/reply.ts'

/** A message to a client, shown as the replies of a run are; bytes in base64. */
export function messageReply({ bytes, binary }: ClientMessage): Reply {
  const body = Buffer.from(bytes).toString(binary ? 'base64' : 'utf8')
  return { status: undefined, headers: [], cookies: [], body: { kind: 'custom', body } }
}
