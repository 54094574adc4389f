import type { DeviceCriteria } from './devices.ts'

export interface Commands {
  /**
   * Sends a command to devices, each once, and gives their number. Who is not connected misses it. `time` in milliseconds since the
   * epoch, default now. Unknown ids are left out. Throws Refusal.
   */
  send(request: {
    ids?: readonly string[]
    criteria?: readonly DeviceCriteria[]
    name: string
    payload?: unknown
    time?: number
  }): Promise<number>
}

export interface Mqtt {
  /**
   * Publishes to the devices and flows of the application that listen to a topic; state of a device is stored as if it had reported
   * it. Throws Refusal for other topics of devices and for what is no topic, or too large.
   */
  publish(message: { topic: string; message: string }): Promise<void>
}
