// @ts-check
/**
 * Where every command starts. Plain JavaScript, since Node reads TypeScript with a parser that takes 17 MB and is never
 * given back: what a cache holds that is on before the first file of TypeScript needs no parser, and half of the time.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Beside the packages, where nobody else can write.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/headgate'))
await import('./main.ts')
