import type { Actor, Happening } from '../resources/happenings.ts'
import type { AppStore } from '../store/port.ts'
import type { DeviceOrder, Relay } from './relay.ts'

export interface Message {
  topic: string
  payload: Buffer
}

/** Where messages meet those who listen to them, whichever process they are connected to. */
export interface Exchange {
  /** Starts the flows that listen to a topic of the application's own, and delivers the message to who has subscribed. */
  publish(app: AppStore, message: Message, by: Actor): Promise<void>
  /** Delivers only. At most once, in no order over processes, and to nobody who connects later. */
  perform(app: AppStore, orders: readonly DeviceOrder[]): Promise<void>
  /** Performs orders in this process from now on. `at`: when they were given. */
  attach(perform: (app: AppStore, order: DeviceOrder, at: number) => void): void
}

export function openExchange(deps: {
  now(): number
  relay: Relay
  happened(app: AppStore, happening: Happening, by: Actor): Promise<void>
}): Exchange {
  const { now, relay, happened } = deps
  let here: (app: AppStore, order: DeviceOrder, at: number) => void = () => undefined

  async function perform(app: AppStore, orders: readonly DeviceOrder[]): Promise<void> {
    const at = now()
    for (const order of orders) here(app, order, at)
    await relay.send(app, orders)
  }

  return {
    async publish(app, { topic, payload }, by) {
      await perform(app, [{ kind: 'publish', topic, payload }])
      await happened(app, { kind: 'message', topic, message: payload.toString(), time: now() }, by)
    },
    perform,
    attach(given) {
      here = given
    },
  }
}
