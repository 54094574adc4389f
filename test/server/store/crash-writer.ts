import { openStore } from '../../../server/store/open.ts'

/** Writes without end into the file or the URL given, and prints a line for each write that was acknowledged. The test kills it. */
const [target = ''] = process.argv.slice(2)
const store = await openStore(target.startsWith('mongodb') ? target : undefined, target)
const app = store.app({ tenant: 't1', application: 'a1' })
const flow = { flowClass: 'cloud' as const, enabled: true, content: { triggers: [], nodes: [], globals: [] } }

for (let n = 0; ; n += 1) {
  const document = { ...flow, name: `flow ${n}` }
  const { id } = await app.collection('flows').insert(document)
  await app.write([
    { update: 'flows', id, change: { description: 'updated' }, revision: 1 },
    { insert: 'origins', document: { kind: 'flow', key: `${n}`, targetId: id } },
    { insert: 'origins', document: { kind: 'twin', key: `${n}`, targetId: id } },
  ])
  await app.telemetry.append([{ deviceId: id, time: n, data: { n } }])
  await app.blobs.put(id, Buffer.alloc(300_000, n % 256))
  await app.values.add('counter', 'n', 1)
  process.stdout.write(`${n} ${id}\n`)
}
