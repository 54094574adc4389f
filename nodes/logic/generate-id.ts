import { randomBytes, randomInt } from 'node:crypto'
import { nanoid } from 'nanoid'
import { v1, v3, v4, v5, validate } from 'uuid'
import { FlowError } from '../../engine/errors.ts'
import { numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

export const generateId = defineNode({
  type: 'generate-id',
  aliases: ['GenerateIdNode'],
  group: 'logic',
  title: 'Generate ID',
  summary: 'Makes an id: a UUID, a nanoid or an object id.',
  outputs: ['next'],
  needs: ['clock'],
  config: {
    kind: template({
      key: 'idTypeTemplate',
      label: 'Kind',
      help: 'uuidv1, uuidv3, uuidv4, uuidv5, objectid or nanoid, in any case.',
      default: 'uuidv4',
    }),
    namespace: template({ key: 'namespaceTemplate', label: 'Namespace', help: 'A UUID; for uuidv3 and uuidv5.' }),
    value: template({ key: 'valueTemplate', label: 'Value', help: 'For uuidv3 and uuidv5.' }),
    length: numberTemplate({ key: 'numCharactersTemplate', label: 'Characters', default: 21, help: 'For nanoid.' }),
    destination: path({
      key: 'destinationPath',
      label: 'Result',
      help: 'Where the id is put.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The same name gives the same id',
      config: {
        idTypeTemplate: 'uuidv5',
        namespaceTemplate: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
        valueTemplate: '{{data.host}}',
        destinationPath: 'working.id',
      },
      payload: { data: { host: 'www.example.com' } },
      output: 'next',
      result: { data: { host: 'www.example.com' }, working: { id: '2ed6657d-e927-568b-95e1-2665a8aea6a2' } },
    },
  ],
  run({ config, use }) {
    config.destination.write(idOf(config, use.clock.now()))
  },
})

interface Wanted {
  kind: string
  namespace: string
  value: string
  length: number
}

function idOf(wanted: Wanted, now: number): string {
  const kind = wanted.kind.trim().toLowerCase()
  switch (kind) {
    case 'uuidv1':
      return v1()
    case 'uuidv3':
      return v3(...named(wanted))
    case 'uuidv4':
      return v4()
    case 'uuidv5':
      return v5(...named(wanted))
    case 'objectid':
      return objectId(now)
    case 'nanoid':
      if (Number.isInteger(wanted.length) && wanted.length >= 1 && wanted.length <= 256) return nanoid(wanted.length)
      throw new FlowError(
        'id.argument',
        `Expected "Characters" to be a whole number from 1 to 256, got ${wanted.length}`,
      )
  }
  throw new FlowError(
    'id.argument',
    `Expected "Kind" to be uuidv1, uuidv3, uuidv4, uuidv5, objectid or nanoid, got "${kind.slice(0, 50)}"`,
  )
}

function named({ namespace, value }: Wanted): [value: string, namespace: string] {
  const id = namespace.trim()
  if (!validate(id)) throw new FlowError('id.argument', `Expected "Namespace" to be a UUID, got "${id.slice(0, 50)}"`)
  if (value === '') throw new FlowError('id.argument', 'Expected "Value" to render to some text, got nothing')
  return [value.toWellFormed(), id]
}

const processPart = randomBytes(5).toString('hex')
let counter = randomInt(0x1000000)

// Seconds, five bytes of this process, and a counter: ids of one process sort by the time they were made.
function objectId(now: number): string {
  counter = (counter + 1) % 0x1000000
  const seconds = Math.floor(now / 1000) % 0x100000000
  return seconds.toString(16).padStart(8, '0') + processPart + counter.toString(16).padStart(6, '0')
}
