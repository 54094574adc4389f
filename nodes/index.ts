import { type Catalog, catalogOf } from '../engine/compile.ts'
import { conditional } from './logic/conditional.ts'
import { loop } from './logic/loop.ts'
import { loopCap } from './logic/loop-cap.ts'
import { endpoint } from './trigger/endpoint.ts'
import { flowError } from './trigger/flow-error.ts'
import { timer } from './trigger/timer.ts'
import { virtualButton } from './trigger/virtual-button.ts'

/** Every node type that ships. A new one is one line here; a test checks that none is forgotten. */
export const nodes = [conditional, loop, loopCap]

export const triggers = [endpoint, flowError, timer, virtualButton]

export const catalog: Catalog = catalogOf({ nodes, triggers })
