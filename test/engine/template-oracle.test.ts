import Handlebars from 'handlebars'
import { expect, test } from 'vitest'
import { openTemplates } from '../../engine/template.ts'

// What Handlebars itself has, must mean the same here. Handlebars is the oracle.
const templates = openTemplates()
const root = {
  a: { b: { c: 'deep' }, name: 'A' },
  list: [
    {
      name: 'x',
      kids: [
        { name: 'x1', kids: [] },
        { name: 'x2', kids: [{ name: 'x21', kids: [] }] },
      ],
    },
    { name: 'y', kids: [] },
  ],
  map: { k1: 'v1', k2: { name: 'v2' } },
  numbers: [1, 2, 3],
  mixed: [null, false, 0, '', 'z'],
  yes: true,
  no: false,
  zero: 0,
  text: 'te<x>t & "more" `=\'',
  none: [],
  empty: {},
  nothing: null,
}

test.each([
  '{{a.b.c}} {{a/b/c}} {{./a.name}} {{this.a.name}} {{a.b}}',
  '{{text}} {{{text}}} {{&text}}',
  '{{#each list}}{{@index}}{{@key}}{{@first}}{{@last}} {{name}} {{../a.name}} {{@root.a.name}}|{{/each}}',
  '{{#each map}}{{@key}}{{@index}}{{@first}}{{@last}}={{this}}{{name}};{{/each}}',
  '{{#each list}}{{#each kids}}{{name}}{{../name}}{{../../a.name}}{{@../index}};{{/each}}{{/each}}',
  '{{#each list as |item i|}}{{#each item.kids as |kid j|}}{{i}}{{j}}{{item.name}}{{kid.name}};{{/each}}{{/each}}',
  '{{#each mixed}}[{{this}}]{{/each}} {{#each nothing}}{{else}}none{{/each}}',
  '{{#with a}}{{name}} {{b.c}} {{../yes}}{{/with}}{{#with nothing}}x{{else}}y{{/with}}',
  '{{#each list as |name|}}{{this.name}}{{name.name}}{{./name}}{{../text}}{{/each}}',
  '{{#with a as |x|}}{{#with x.b as |y|}}{{x.name}}{{y.c}}{{../name}}{{/with}}{{/with}}',
  '{{#with a}}{{#with b}}{{#if c}}{{../name}} {{c}}{{/if}}{{/with}}{{/with}}',
  '{{#if yes}}1{{/if}}{{#if no}}2{{else}}3{{/if}}{{#if zero}}4{{else}}5{{/if}}{{#if zero includeZero=true}}6{{/if}}',
  '{{#unless none}}a{{/unless}}{{#unless empty}}b{{else}}c{{/unless}}',
  '{{#if no}}a{{else if zero}}b{{else if yes}}c{{else}}d{{/if}}',
  '{{#list}}{{name}}{{/list}}{{#yes}}{{a.name}}{{/yes}}{{#no}}x{{/no}}{{^no}}y{{/no}}{{#a}}{{name}}{{/a}}',
  '{{#text}}{{this}}{{/text}}{{#zero}}z{{else}}n{{/zero}}{{#none}}1{{else}}2{{/none}}{{#empty}}e{{/empty}}',
  '{{lookup numbers 1}} {{lookup map "k1"}} {{lookup (lookup list 0) "name"}} {{lookup nothing "x"}}',
  '{{numbers.[0]}} {{list.0.name}} {{list.[1].name}} {{map.[k1]}} {{numbers.length}} {{text.length}}',
  '{{#*inline "p"}}<{{name}}{{x}}>{{/inline}}{{> p}}{{> p a}}{{> p a x=1}}{{#each list}}{{> p x=@index}}{{/each}}',
  '{{> p}}{{#*inline "p"}}{{a.name}}{{/inline}}',
  '{{#*inline "tree"}}{{name}}({{#each kids}}{{> tree}}{{/each}}){{/inline}}{{#each list}}{{> tree}}{{/each}}',
  '{{#*inline "p"}}out{{/inline}}{{#if yes}}{{#*inline "p"}}in{{/inline}}{{> p}}{{/if}}{{> p}}',
  '{{#*inline "a"}}{{> b}}{{/inline}}{{#*inline "b"}}b{{a.name}}{{/inline}}{{> a}}',
  '{{#*inline "p"}}[{{> @partial-block}}]{{/inline}}{{#> p}}x{{a.name}}{{/p}}{{#> q}}fallback{{/q}}',
  '{{#*inline "p"}}p{{/inline}}{{> (lookup (array "p") 0)}}',
  '{{#if yes}}\n  a\n{{else}}\n  b\n{{/if}}\nend\n',
  '  {{#each numbers}}\n    {{this}}\n  {{/each}}\n',
  '<ul>\n  {{> p}}\n</ul>\n{{#*inline "p"}}\n<li>\n{{a.name}}\n{{/inline}}\n',
  'a {{~yes~}} b {{~#if yes~}} c {{~/if~}} d',
  '{{! c }}\n{{!-- x {{y}} --}}\nz',
  '\\{{yes}} \\\\{{yes}} {{yes}}',
  '{{#each numbers}}{{#if @first}}{{else}}, {{/if}}{{this}}{{/each}}',
  '{{"yes"}} {{[yes]}} {{missing}} {{missing.x}} {{nothing}}',
  '{{#each list}}{{#unless @last}}{{name}}{{/unless}}{{/each}}',
  '{{#with list.[0]}}{{#each kids}}{{#with this}}{{../name}}{{/with}}{{/each}}{{/with}}',
  '{{#each numbers}}{{@root.numbers.length}}{{../numbers.length}}{{/each}}',
  '{{{{yes}}}} {{a.name}} {{{{/yes}}}}|{{{{if no}}}}{{x}}{{{{/if}}}}|{{{{nothing}}}}{{x}}{{{{/nothing}}}}',
  '{{{a.name}}}{{{ text }}}{{{lookup map "k1"}}}{{&lookup map "k1"}}',
  '{{#each map as |v k|}}{{k}}:{{#if v.name}}{{v.name}}{{else}}{{v}}{{/if}} {{/each}}',
  '{{#with a as |x|}}{{#each ../numbers as |n i|}}{{x.name}}{{n}}{{i}}{{../../yes}} {{/each}}{{/with}}',
  '{{#*inline "p"}}{{#if name}}{{name}}{{else}}-{{/if}}{{/inline}}{{> p map}}{{> p nothing}}{{> p list.[0]}}{{> p name="n"}}',
  '{{#*inline "p"}}{{> @partial-block}}{{> @partial-block}}{{/inline}}{{#each numbers}}{{#> p}}{{this}}{{@index}}{{/p}}{{/each}}',
  '{{#> q}}{{#*inline "s"}}s{{/inline}}[{{> s}}]{{/q}}',
  '{{^yes}}a{{else}}b{{/yes}}{{^no}}c{{else}}d{{/no}}{{^none}}e{{/none}}',
  '{{#each list}}{{#if @last}}{{else}}{{#with this}}{{name}}{{@root.yes}}{{/with}}{{/if}}{{else}}none{{/each}}',
  'a\n{{! c }}\nb\n{{#if yes}}\n{{! d }}\nx\n{{/if}}\n',
  '{{zero}}{{no}}{{nothing}}{{yes}}{{numbers}}{{none}}{{empty}}{{list}}',
])('renders as Handlebars does: %j', (source) => {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('array', (...args) => args.slice(0, -1))
  expect(templates.text(source)(root)).toBe(handlebars.compile(source)(root))
})
