import { nodeDefiner } from '../engine/node.ts'
import type { Services } from './services.ts'

/** Declares a node type: see NodeDefinition in engine/node.ts and CONTRIBUTING.md. */
export const defineNode = nodeDefiner<Services>()
