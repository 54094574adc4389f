import { openResources, type ResourceOptions, type Resources } from '../../../server/resources/resources.ts'
import type { AppStore, Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'

export interface TestWorld extends Resources {
  store: Store
  app: AppStore
  clock: { now: number }
  /** Resources of a second application in the same store. */
  other: Resources
}

/** Two empty applications in one embedded store, with a clock that stands still. */
export async function openTestWorld(options: Partial<ResourceOptions> = {}): Promise<TestWorld> {
  const store = await openTestStore()
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5, 678) }
  const open = (application: string) => {
    const app = store.app({ tenant: 'tenant', application: application.repeat(24) })
    return {
      app,
      ...openResources({
        app,
        now: () => clock.now,
        secret: () => `${application} secret of 32 bytes or more...`,
        ...options,
      }),
    }
  }
  const { app, ...resources } = open('a')
  return { store, app, clock, ...resources, other: open('b') }
}
