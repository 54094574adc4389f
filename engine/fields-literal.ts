import type { FlowErrorCode } from './errors.ts'
import { broken, constant, type Field, field, isBlank, literal, type Options, show } from './field.ts'

/** Text used as written; a number counts as its text. Default `''`. `check` gives a message for text that will not do. */
export function text(
  options: Options<string> & {
    check?: (text: string) => string | { code: FlowErrorCode; message: string } | undefined
  } = {},
): Field<string> {
  return field('text', options, (raw, scope) => {
    const written = typeof raw === 'number' ? String(raw) : raw
    const wrong = typeof written === 'string' ? options.check?.(written) : undefined
    if (typeof wrong === 'string') return broken(scope, 'config.type', wrong)
    if (wrong) return broken(scope, wrong.code, wrong.message)
    return literal(written, options, scope, { type: 'string', initial: '' })
  })
}

/** True or false, used as written; the texts "true" and "false" count, blank is missing. Default false. */
export function flag(options: Options<boolean> = {}): Field<boolean> {
  return field('flag', options, (raw, scope) => {
    const written = raw === 'true' ? true : raw === 'false' ? false : isBlank(raw) ? undefined : raw
    return literal(written, options, scope, { type: 'boolean', initial: false })
  })
}

/** One of a closed set of words. Without a default the first word is it. */
export function choice<const T extends string>(options: Options<T> & { of: readonly T[] }): Field<T> {
  const initial = options.default ?? options.of[0]!
  return {
    ...field<T>('choice', { ...options, default: initial }, (raw, scope) => {
      const value = raw === undefined || raw === null || raw === '' ? initial : raw
      if (options.of.includes(value as T)) return constant(value as T)
      const words = options.of.filter((one) => one !== '').join(', ')
      return broken(scope, 'config.choice', `Expected one of ${words}, got ${show(raw)}`)
    }),
    of: options.of,
  }
}

/** Undefined, whatever stands at the key: for kinds of a `byType` that need no setting, and what others left there. */
export function unused(options: Options = {}): Field<undefined> {
  return field('unused', options, () => constant(undefined))
}
