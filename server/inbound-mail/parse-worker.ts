import { parentPort, workerData } from 'node:worker_threads'
import PostalMime from 'postal-mime'
import { toReadMail } from './read-mail.ts'

// A thread of its own: whatever a mail makes the parser do, requests are answered meanwhile, and it can be ended.
const mail = await PostalMime.parse(workerData as Uint8Array, {
  forceRfc822Attachments: true,
  maxNestingDepth: 50,
  maxHeadersSize: 256 * 1024,
})
parentPort!.postMessage(toReadMail(mail))
