import type { RE2JS } from 're2js'
import type { InputField } from '../../engine/custom-node.ts'
import { FlowError } from '../../engine/errors.ts'
import {
  broken,
  constant,
  type Field,
  type FieldScope,
  field,
  isBlank,
  type Setting,
  show,
} from '../../engine/field.ts'
import { choice, flag, json, numberTemplate, read, template } from '../../engine/fields.ts'
import { compileLinear } from '../../engine/linear-pattern.ts'
import type { Payload } from '../../engine/payload.ts'
import { printValue } from '../../engine/template.ts'
import { checkTextLength } from '../bounds.ts'

/** Gives the inputs of one call, by their ids, for the form that the custom node has. */
export type Inputs = (fields: readonly InputField[]) => Payload

/**
 * The inputs of a custom node at a stored key: `[{ id, value }]`. How a value is meant is known once the custom node is: it is
 * compiled with the first call of each version.
 */
export function customInputs(options: { key: string; label: string; help?: string }): Field<Inputs> {
  return field('custom-inputs', options, (raw, scope) => {
    const compiled = new WeakMap<readonly InputField[], Setting<Payload>>()
    return (at) => (fields) => {
      let setting = compiled.get(fields)
      if (!setting) {
        // What is wrong is for the run to say now: the flow is compiled already.
        setting = compileInputs(raw, fields, { ...scope, report: () => undefined })
        compiled.set(fields, setting)
      }
      return setting(at)
    }
  })
}

/** Compiles what a call gives to a form. Reports to the scope, and throws when it is asked for, what is wrong. */
export function compileInputs(raw: unknown, fields: readonly InputField[], scope: FieldScope): Setting<Payload> {
  const given = new Map<string, { value: unknown; index: number }>()
  const entries: unknown[] = Array.isArray(raw) ? raw : []
  if (!isBlank(raw) && !Array.isArray(raw)) return broken(scope, 'config.type', `Expected a list, got ${show(raw)}`)
  for (const [index, entry] of entries.entries()) {
    const { id, value } = (entry ?? {}) as { id?: unknown; value?: unknown }
    if (typeof id === 'string') given.set(id, { value, index })
  }
  const settings = fields
    .filter(({ kind }) => kind !== 'section')
    .map((input) => {
      const one = given.get(input.id)
      const pointer = one ? `${scope.pointer}/${one.index}/value` : scope.pointer
      const written = isBlank(one?.value) ? input.initial : one?.value
      const own = { ...scope, pointer, siblings: {} }
      return [input.id, checked(input, kinds[input.kind](input).compile(written, own), own)] as const
    })
  return (at) => {
    const data: Payload = {}
    let chars = 0
    for (const [id, setting] of settings) {
      const value = setting(at)
      // Each may be as long as a template may print: together they are no longer.
      if (typeof value === 'string') chars += value.length
      checkTextLength(chars)
      data[id] = value
    }
    return data
  }
}

const kinds: Record<InputField['kind'], (input: InputField) => Field<unknown>> = {
  stringTemplate: ({ id, label, required }) => template({ key: id, label, required }),
  numberTemplate: ({ id, label, required }) => numberTemplate({ key: id, label, required }),
  jsonTemplate: ({ id, label, required }) => json({ key: id, label, required }),
  payloadPath: ({ id, label, required }) => read({ key: id, label, required }),
  checkbox: ({ id, label }) => flag({ key: id, label }),
  select: (input) => words(input),
  section: () => field('unused', {}, () => constant(undefined)),
}

// Without a word of its own the first one, as a form shows it.
function words({ id, label, options }: InputField): Field<unknown> {
  return options.length === 0 ? field('unused', {}, (raw) => constant(raw)) : choice({ key: id, label, of: options })
}

// What a value must be beside its kind.
function checked(input: InputField, setting: Setting<unknown>, scope: FieldScope): Setting<unknown> {
  const { kind, label, least, most, pattern } = input
  if (kind === 'numberTemplate') {
    return after(setting, (value) => {
      if (typeof value !== 'number' || (value >= (least ?? value) && value <= (most ?? value))) return
      const bounds = `from ${least ?? 'any'} to ${most ?? 'any'}`
      throw new FlowError('config.type', `Expected "${label}" to be ${bounds}, got ${value}. Check its template.`)
    })
  }
  if (kind !== 'stringTemplate' || pattern === undefined) return setting
  const compiled = compilePattern(pattern)
  if (!compiled) {
    const message = `Expected a regular expression of at most ${MOST_PATTERN_CHARS} characters for "${label}", got ${show(pattern)}`
    return broken(scope, 'config.type', message)
  }
  return after(setting, (value) => {
    const text = printValue(value)
    // Linear in the text, but an author chooses both.
    const fits = text.length * compiled.programSize() <= MOST_PATTERN_STEPS && compiled.test(text)
    if (text === '' || fits) return
    throw new FlowError(
      'config.type',
      `Expected "${label}" to fit ${pattern.slice(0, 100)}, got ${show(value)}. Check its template.`,
    )
  })
}

function after(setting: Setting<unknown>, check: (value: unknown) => void): Setting<unknown> {
  return (at) => {
    const value = setting(at)
    check(value)
    return value
  }
}

const MOST_PATTERN_CHARS = 1_000
const MOST_PATTERN_STEPS = 5_000_000

function compilePattern(pattern: string): RE2JS | undefined {
  if (pattern.length > MOST_PATTERN_CHARS) return undefined
  try {
    return compileLinear(pattern)
  } catch {
    // Not a pattern, one that needs backtracking or repeats too much, is the answer that was asked for.
    return undefined
  }
}
