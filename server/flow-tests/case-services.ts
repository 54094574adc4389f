import type { CustomNodes, PlacedCustomNode } from '../../nodes/services/flows.ts'
import type { Services } from '../../nodes/services.ts'
import type { AppFlows } from '../flows/plans.ts'
import { withOwn } from '../lazy-object.ts'
import type { Coverages } from './coverage.ts'
import { withClock } from './function-clock.ts'
import { observedPlan } from './rehearse.ts'
import { recordedMail, type SentMail } from './stand-ins.ts'
import { standingClock } from './standing-clock.ts'

export interface CaseStage {
  flows: AppFlows
  clock: { now: number }
  /** All mails of the run, in order. */
  mails: SentMail[]
  coverages: Coverages
}

/** The services of a run as its case gives them: with its clock, its mails kept, and the same inside of custom nodes. */
export function caseServices(real: Services, stage: CaseStage): Services {
  const { clock, mails } = stage
  return withOwn(real, {
    clock: standingClock(clock),
    mail: recordedMail(real.mail, mails),
    functions: withClock(real.functions, clock),
    customNodes: observedCustomNodes(real.customNodes, stage),
  })
}

function observedCustomNodes(real: CustomNodes, stage: CaseStage): CustomNodes {
  const seen = new Map<PlacedCustomNode, PlacedCustomNode>()
  return {
    find(wanted) {
      const placed = real.find(wanted)
      const known = seen.get(placed)
      if (known) return known
      const { id, name, version } = stage.flows.version(wanted.id, wanted.version)!
      const coverage = stage.coverages.ofCustomNode(`${id} ${version}`, name, placed.plan)
      const start = placed.plan.triggers.findIndex(({ type }) => type === 'custom-node-start')
      const observed: PlacedCustomNode = {
        ...placed,
        plan: observedPlan(placed.plan, coverage),
        services: caseServices(placed.services as Services, stage),
        start(call) {
          coverage.beginAt(start)
          return placed.start(call)
        },
      }
      seen.set(placed, observed)
      return observed
    },
  }
}
