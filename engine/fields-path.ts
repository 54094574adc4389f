import type { FlowError } from './errors.ts'
import {
  broken,
  constant,
  type Field,
  type FieldScope,
  field,
  isBlank,
  type Options,
  type PayloadHolder,
  type Setting,
  show,
} from './field.ts'
import { checkWritable, type Path, type Payload, parsePath, readPath, removePath, writePath } from './payload.ts'

/** A place in the payload that a node reads or writes. A place that is not set reads undefined and drops writes. */
export interface Place {
  readonly given: boolean
  readonly text: string
  read(): unknown
  write(value: unknown): void
  remove(): void
}

/** A place to read and write. `writes` refuses, when the flow is read, a place that can never be written. */
export function path(options: Options<string> & { writes?: boolean } = {}): Field<Place> {
  return field('path', options, (raw, scope) => {
    const parsed = compilePath(raw, options, scope)
    if (typeof parsed === 'function') return parsed
    if (parsed === undefined) return constant(nowhere)
    if (options.writes) {
      try {
        checkWritable(parsed)
      } catch (error) {
        return broken(scope, 'path.forbidden', (error as FlowError).message)
      }
    }
    const written = String(raw ?? options.default).trim()
    return (at) => placeOf(at, parsed, written)
  })
}

/** The value at a path; undefined where nothing is. */
export function read(options: Options<string> = {}): Field<unknown> {
  return field('read', options, (raw, scope) => {
    const parsed = compilePath(raw, options, scope)
    if (typeof parsed === 'function') return parsed
    return parsed === undefined ? constant(undefined) : (at) => readPath(at.payload, parsed)
  })
}

/** The whole payload, whatever stands at the key: for kinds of a `byType` that need no setting. */
export function wholePayload(): Field<Payload> {
  return field('whole-payload', {}, () => (at) => at.payload)
}

const nowhere: Place = {
  given: false,
  text: '',
  read: () => undefined,
  write: () => undefined,
  remove: () => undefined,
}

function placeOf(at: PayloadHolder, parsed: Path, written: string): Place {
  return {
    given: true,
    text: written,
    read: () => readPath(at.payload, parsed),
    write: (one) => writePath(at.payload, parsed, one),
    remove: () => removePath(at.payload, parsed),
  }
}

function compilePath(raw: unknown, options: Options<string>, scope: FieldScope): Path | undefined | Setting<never> {
  const given = isBlank(raw) ? options.default : raw
  if (isBlank(given)) {
    if (!options.required) return undefined
    return broken(scope, 'config.missing', 'Expected a payload path like "working.result", got nothing')
  }
  if (typeof given !== 'string') {
    return broken(scope, 'config.type', `Expected a payload path like "working.result", got ${show(given)}`)
  }
  try {
    return parsePath(given)
  } catch (error) {
    return broken(scope, 'path.syntax', (error as FlowError).message)
  }
}
