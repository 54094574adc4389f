import { type Catalog, catalogOf } from '../engine/compile.ts'
import { accessKeyCreate } from './data/access-key-create.ts'
import { dataTableDelete } from './data/data-table-delete.ts'
import { dataTableGet } from './data/data-table-get.ts'
import { dataTableInsert } from './data/data-table-insert.ts'
import { dataTableUpdate } from './data/data-table-update.ts'
import { eventCreate } from './data/event-create.ts'
import { eventDelete } from './data/event-delete.ts'
import { eventGet } from './data/event-get.ts'
import { eventUpdate } from './data/event-update.ts'
import { fileCreate } from './data/file-create.ts'
import { fileGet } from './data/file-get.ts'
import { losantApi } from './data/losant-api.ts'
import { notebookExecute } from './data/notebook-execute.ts'
import { qrCode } from './data/qr-code.ts'
import { valueGet } from './data/value-get.ts'
import { valueStore } from './data/value-store.ts'
import { debug } from './debug/debug.ts'
import { note } from './debug/note.ts'
import { throwError } from './debug/throw-error.ts'
import { deviceChangeState } from './device/device-change-state.ts'
import { deviceCommand } from './device/device-command.ts'
import { deviceCreate } from './device/device-create.ts'
import { deviceDelete } from './device/device-delete.ts'
import { deviceGet } from './device/device-get.ts'
import { deviceGetByUser } from './device/device-get-by-user.ts'
import { deviceHistory } from './device/device-history.ts'
import { deviceUpdate } from './device/device-update.ts'
import { deviceVerify } from './device/device-verify.ts'
import { gauge } from './device/gauge.ts'
import { timeSeries } from './device/time-series.ts'
import { dataExport } from './experience/data-export.ts'
import { deviceImport } from './experience/device-import.ts'
import { groupCreate } from './experience/group-create.ts'
import { groupDelete } from './experience/group-delete.ts'
import { groupGet } from './experience/group-get.ts'
import { groupSummary } from './experience/group-summary.ts'
import { groupUpdate } from './experience/group-update.ts'
import { groupVerify } from './experience/group-verify.ts'
import { jobCancel } from './experience/job-cancel.ts'
import { jobGet } from './experience/job-get.ts'
import { samlLogin } from './experience/saml-login.ts'
import { samlVerify } from './experience/saml-verify.ts'
import { userAuthenticate } from './experience/user-authenticate.ts'
import { userCreate } from './experience/user-create.ts'
import { userDelete } from './experience/user-delete.ts'
import { userGet } from './experience/user-get.ts'
import { userGetByDevice } from './experience/user-get-by-device.ts'
import { userToken } from './experience/user-token.ts'
import { userUpdate } from './experience/user-update.ts'
import { array } from './logic/array.ts'
import { base64Decode } from './logic/base64-decode.ts'
import { base64Encode } from './logic/base64-encode.ts'
import { conditional } from './logic/conditional.ts'
import { cryptoSign } from './logic/crypto-sign.ts'
import { cryptoVerify } from './logic/crypto-verify.ts'
import { csvDecode } from './logic/csv-decode.ts'
import { csvEncode } from './logic/csv-encode.ts'
import { customNode } from './logic/custom-node.ts'
import { customNodeEnd } from './logic/custom-node-end.ts'
import { dateTime } from './logic/date-time.ts'
import { delay } from './logic/delay.ts'
import { functionNode } from './logic/function.ts'
import { generateId } from './logic/generate-id.ts'
import { geofence } from './logic/geofence.ts'
import { hash } from './logic/hash.ts'
import { htmlParser } from './logic/html-parser.ts'
import { jsonDecode } from './logic/json-decode.ts'
import { jsonEncode } from './logic/json-encode.ts'
import { jwtCreate } from './logic/jwt-create.ts'
import { jwtDecode } from './logic/jwt-decode.ts'
import { jwtVerify } from './logic/jwt-verify.ts'
import { latch } from './logic/latch.ts'
import { loop } from './logic/loop.ts'
import { loopCap } from './logic/loop-cap.ts'
import { math } from './logic/math.ts'
import { mutate } from './logic/mutate.ts'
import { object } from './logic/object.ts'
import { onChange } from './logic/on-change.ts'
import { randomNumber } from './logic/random-number.ts'
import { string } from './logic/string.ts'
import { switchNode } from './logic/switch.ts'
import { throttle } from './logic/throttle.ts'
import { timeRange } from './logic/time-range.ts'
import { validatePayload } from './logic/validate-payload.ts'
import { http } from './network/http.ts'
import { mongo } from './network/mongo.ts'
import { redis } from './network/redis.ts'
import { s3Get } from './network/s3-get.ts'
import { s3Put } from './network/s3-put.ts'
import { sql } from './network/sql.ts'
import { email } from './output/email.ts'
import { endpointReply } from './output/endpoint-reply.ts'
import { mailgun } from './output/mailgun.ts'
import { mqtt } from './output/mqtt.ts'
import { resourceJobAcknowledge } from './output/resource-job-acknowledge.ts'
import { resourceJobExecute } from './output/resource-job-execute.ts'
import { sendgrid } from './output/sendgrid.ts'
import { slack } from './output/slack.ts'
import { sms } from './output/sms.ts'
import { twilio } from './output/twilio.ts'
import { webhookReply } from './output/webhook-reply.ts'
import { workflowTrigger } from './output/workflow-trigger.ts'
import { appFile } from './trigger/app-file.ts'
import { customNodeStart } from './trigger/custom-node-start.ts'
import { dataTable } from './trigger/data-table.ts'
import { deviceConnect } from './trigger/device-connect.ts'
import { deviceCreateTrigger } from './trigger/device-create.ts'
import { deviceDisconnect } from './trigger/device-disconnect.ts'
import { deviceInactivity } from './trigger/device-inactivity.ts'
import { deviceState } from './trigger/device-state.ts'
import { endpoint } from './trigger/endpoint.ts'
import { event } from './trigger/event.ts'
import { flowError } from './trigger/flow-error.ts'
import { inboundEmail } from './trigger/inbound-email.ts'
import { mqttTopic } from './trigger/mqtt-topic.ts'
import { resourceJobComplete } from './trigger/resource-job-complete.ts'
import { resourceJobIteration } from './trigger/resource-job-iteration.ts'
import { resourceJobIterationTimeout } from './trigger/resource-job-iteration-timeout.ts'
import { timer } from './trigger/timer.ts'
import { virtualButton } from './trigger/virtual-button.ts'
import { webhook } from './trigger/webhook.ts'

/** Every node type that ships. A new one is one line here; a test checks that none is forgotten. */
export const nodes = [
  dataTableDelete,
  dataTableGet,
  dataTableInsert,
  dataTableUpdate,
  eventCreate,
  eventDelete,
  eventGet,
  eventUpdate,
  fileCreate,
  fileGet,
  losantApi,
  accessKeyCreate,
  qrCode,
  notebookExecute,
  valueGet,
  valueStore,
  debug,
  note,
  throwError,
  deviceChangeState,
  deviceCommand,
  deviceCreate,
  deviceDelete,
  deviceGetByUser,
  deviceGet,
  deviceHistory,
  deviceUpdate,
  deviceVerify,
  gauge,
  timeSeries,
  dataExport,
  deviceImport,
  groupCreate,
  groupDelete,
  groupGet,
  groupSummary,
  groupUpdate,
  groupVerify,
  jobCancel,
  jobGet,
  samlLogin,
  samlVerify,
  userAuthenticate,
  userCreate,
  userDelete,
  userGet,
  userGetByDevice,
  userToken,
  userUpdate,
  array,
  base64Decode,
  base64Encode,
  conditional,
  customNode,
  customNodeEnd,
  cryptoSign,
  cryptoVerify,
  csvDecode,
  csvEncode,
  dateTime,
  delay,
  functionNode,
  generateId,
  geofence,
  hash,
  htmlParser,
  jsonDecode,
  jsonEncode,
  jwtCreate,
  jwtDecode,
  jwtVerify,
  latch,
  loopCap,
  loop,
  math,
  mutate,
  object,
  onChange,
  randomNumber,
  string,
  switchNode,
  throttle,
  timeRange,
  validatePayload,
  http,
  mongo,
  redis,
  s3Get,
  s3Put,
  sql,
  email,
  endpointReply,
  mailgun,
  mqtt,
  sendgrid,
  slack,
  sms,
  twilio,
  resourceJobAcknowledge,
  resourceJobExecute,
  webhookReply,
  workflowTrigger,
]

export const triggers = [
  appFile,
  customNodeStart,
  dataTable,
  deviceConnect,
  deviceCreateTrigger,
  deviceDisconnect,
  deviceInactivity,
  deviceState,
  endpoint,
  event,
  flowError,
  inboundEmail,
  mqttTopic,
  resourceJobComplete,
  resourceJobIteration,
  resourceJobIterationTimeout,
  timer,
  virtualButton,
  webhook,
]

export const catalog: Catalog = catalogOf({ nodes, triggers })
