import { FlowError } from './errors.ts'
import { compileExpression } from './expression.ts'
import {
  broken,
  compileText,
  constant,
  empty,
  type Field,
  type FieldScope,
  field,
  isBlank,
  type Options,
  show,
  wrongType,
} from './field.ts'
import type { Compiled } from './template.ts'

/**
 * A string template, rendered. Missing or blank: the default, else `''`; `required` and blank throws `config.empty`,
 * unless it only has to be written and `mayBeEmpty` once rendered.
 */
export function template(options: Options<string> & { mayBeEmpty?: boolean } = {}): Field<string> {
  return rendered('template', options, (source, { templates }) => templates.text(source))
}

/** Like `template`, but a lone mustache that gives an array or an object prints as JSON. */
export function bodyTemplate(options: Options<string> = {}): Field<string> {
  return rendered('template', options, (source, { templates }) => templates.body(source))
}

/** A template that gives one of a closed set of words, trimmed. Another word throws `config.type`. */
export function choiceTemplate<const T extends string>(options: Options<T> & { of: readonly T[] }): Field<T> {
  const inner = rendered('choice-template', options, (source, { templates }) => templates.text(source))
  return {
    ...inner,
    default: options.default ?? options.of[0]!,
    of: options.of,
    compile(raw, scope) {
      const setting = inner.compile(raw, scope)
      return (at) => {
        const word = setting(at).trim() || (options.default ?? options.of[0]!)
        const found = options.of.find((one) => one === word)
        if (found === undefined) throw wrongType(options, `one of ${options.of.join(', ')}`, word)
        return found
      }
    },
  }
}

/** A number, or a template that renders to one. Blank: the default, else undefined. Not a number throws `config.type`. */
export function numberTemplate(options: Options<number> & { default: number }): Field<number>
export function numberTemplate(options?: Options<number>): Field<number | undefined>
export function numberTemplate(options: Options<number> = {}): Field<number | undefined> {
  return field('number', options, (raw, scope) => {
    if (typeof raw === 'number') return constant(raw)
    if (typeof raw === 'boolean' || (typeof raw === 'string' && !raw.includes('{{') && Number.isNaN(Number(raw)))) {
      return broken(scope, 'config.type', `Expected a number or a template that renders to one, got ${show(raw)}`)
    }
    if (options.required && isBlank(raw) && options.default === undefined) {
      return broken(scope, 'config.missing', 'Expected a number or a template that renders to one, got nothing')
    }
    const setting = compileText(raw, scope, (source) => scope.templates.text(source))
    return (at) => {
      const printed = setting(at).trim()
      if (printed === '') {
        if (options.required) throw empty(options)
        return options.default
      }
      const value = Number(printed)
      if (Number.isNaN(value)) throw wrongType(options, 'a number', printed)
      return value
    }
  })
}

/** A value template: a lone mustache gives the raw value, anything else the rendered text. */
export function value(options: Options = {}): Field<unknown> {
  return field('value', options, (raw, scope) => {
    if (typeof raw === 'number' || typeof raw === 'boolean') return constant(raw)
    return compileText(raw, scope, (source) => scope.templates.value(source))
  })
}

/**
 * A JSON template. Blank gives undefined. Text that is not JSON throws, or gives undefined with `lenient`.
 * A raw setting that already is an object or a list is taken as it stands.
 */
export function json(options: Options & { lenient?: boolean } = {}): Field<unknown> {
  return field('json', options, (raw, scope) => {
    if (raw !== null && typeof raw === 'object') return constant(raw)
    if (raw === undefined || raw === null || (typeof raw === 'string' && raw.trim() === '')) {
      if (options.required) return broken(scope, 'config.missing', 'Expected a JSON template, got nothing')
      return constant(undefined)
    }
    const setting = compileText(raw, scope, (source) => scope.templates.json(source))
    if (!options.lenient) return setting
    return (at) => {
      try {
        return setting(at)
      } catch (error) {
        // The format stores undefined for text that is not JSON; everything else is still an error.
        if (error instanceof FlowError && error.code === 'template.not-json') return undefined
        throw error
      }
    }
  })
}

/** An expression over the payload, or over another root given to the setting by `lazy`. */
export function expression(options: Options = {}): Field<unknown> {
  return field('expression', options, (raw, scope) => {
    if (options.required && isBlank(raw)) return broken(scope, 'config.missing', 'Expected an expression, got nothing')
    return compileText(raw, scope, (source) => compileExpression(source, scope.templates))
  })
}

function rendered(
  kind: string,
  options: Options<string> & { mayBeEmpty?: boolean },
  compile: (source: string, scope: FieldScope) => Compiled<string>,
): Field<string> {
  return field(kind, options, (raw, scope) => {
    if (options.required && isBlank(raw) && isBlank(options.default)) {
      return broken(scope, 'config.missing', 'Expected a template, got nothing')
    }
    const initial = options.default ?? ''
    // A blank is a text where nothing else takes its place: one splits words at it.
    const source = isBlank(raw) && (initial !== '' || typeof raw !== 'string') ? initial : raw
    const setting = compileText(source, scope, (text) => compile(text, scope))
    return (at) => {
      const printed = setting(at) || initial
      if (options.required && !options.mayBeEmpty && printed === '') throw empty(options)
      return printed
    }
  })
}
