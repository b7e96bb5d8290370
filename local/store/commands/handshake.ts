import type { Doc } from '../values/value.ts';
import { MAX_DOCUMENT_BYTES } from '../values/write.ts';
import { MAX_MESSAGE_BYTES } from '../wire/frame.ts';
import type { Call, Command } from './call.ts';
import { MAX_BATCH } from './writes.ts';

/** The server version whose behaviour the store follows. */
const VERSION = [6, 0, 5, 0];
/** The wire version of MongoDB 6.0. */
const MAX_WIRE_VERSION = 17;

function hello(call: Call): Doc {
  const legacy = call.name.toLowerCase() === 'ismaster';
  return {
    ...(call.args.helloOk === true ? { helloOk: true } : undefined),
    ...(legacy ? { ismaster: true } : { isWritablePrimary: true }),
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_BATCH,
    localTime: call.engine.clock(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: call.connectionId,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
  };
}

const HELLO_FIELDS = [
  'helloOk',
  'client',
  'compression',
  'loadBalanced',
  'topologyVersion',
  'maxAwaitTimeMS',
  'hostInfo',
  'saslSupportedMechs',
  'speculativeAuthenticate',
  'backpressure',
];

/** Commands about the server itself. */
export const HANDSHAKE: Record<string, Command> = {
  hello: { fields: HELLO_FIELDS, run: hello },
  ismaster: { fields: HELLO_FIELDS, run: hello },
  isMaster: { fields: HELLO_FIELDS, run: hello },
  ping: { fields: [], run: () => ({}) },
  endSessions: { fields: [], run: () => ({}) },
  buildInfo: {
    fields: [],
    run: () => ({
      version: VERSION.slice(0, 3).join('.'),
      gitVersion: 'embedded document store',
      modules: [],
      versionArray: VERSION,
      bits: 64,
      debug: false,
      maxBsonObjectSize: MAX_DOCUMENT_BYTES,
      storageEngines: ['sqlite'],
    }),
  },
  whatsmyuri: { fields: [], run: () => ({ you: '127.0.0.1' }) },
  connectionStatus: {
    fields: ['showPrivileges'],
    run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
  },
};
