import { catalog } from '../../nodes/index.ts'
import { openPlans, type Plans } from '../../server/flows/plans.ts'
import type { FlowDocument } from '../../server/store/documents/flows.ts'
import type { AppStore, Store } from '../../server/store/port.ts'
import type { Scope } from '../../server/store/scope.ts'
import { openTestStore } from './store.ts'

export const scope: Scope = { tenant: 't1', application: 'a'.repeat(24) }

export interface TestApplication {
  store: Store
  app: AppStore
  plans: Plans
  /** Adds a flow: of an experience version where `version` is given, else of the application. Gives its id. */
  addFlow(flow: {
    name: string
    triggers: unknown[]
    nodes?: unknown[]
    globals?: unknown[]
    version?: string
    enabled?: boolean
    flowClass?: FlowDocument['flowClass']
  }): Promise<string>
}

/** An application in a store of its own, with an experience version `develop`. */
export async function openApplication(): Promise<TestApplication> {
  const store = await openTestStore()
  const app = store.app(scope)
  await app
    .collection('application')
    .insert({ id: scope.application, name: 'Test', globals: [{ key: 'a', json: '"app"' }], secret: 's' })
  const globals = [
    { key: 'a', json: '"version"' },
    { key: 'b', json: '{"deep": 1}' },
  ]
  await app.collection('experienceVersions').insert({ version: 'develop', endpointDefaultCors: true, globals })
  return {
    store,
    app,
    plans: openPlans(catalog),
    async addFlow({ name, version, enabled = true, flowClass = 'cloud', triggers, nodes = [], globals: own = [] }) {
      const content = { triggers, nodes, globals: own }
      const kind = version === undefined ? flowClass : 'experience'
      const { id } = await app.collection('flows').insert({ name, flowClass: kind, enabled, content })
      if (version !== undefined) {
        await app.collection('flowVersions').insert({ flowId: id, version, name, enabled, content })
      }
      return id
    },
  }
}
