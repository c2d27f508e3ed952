import { create, fromJson } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import {
  ConnectRequestSchema,
  ExecutorLinkService,
  HelloSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Secret } from '../../services/executor/index.ts';
import { pollTransport } from '../../services/executor/stream/transports.ts';
import { CLI_STATES } from '../consumers/cli-http.ts';
import { CHANGES_STATE } from '../consumers/evaluator-messages.ts';
import { LINK_STATES } from '../consumers/executor-exchanges.ts';
import { STATES } from '../consumers/executor-http.ts';
import { AGENT_STATES } from '../consumers/platform-exchanges.ts';
import { describedFrame } from '../golden/frame.ts';
import { OWN_DIGEST } from '../../test/harness/own-contract.ts';
import { CONSOLE_STATES, setUpConsole } from './console-states.ts';
import type { DoorProxy } from './door-proxy.ts';
import type { LivePlatform } from './live-platform.ts';

const ON_THE_STREAM: readonly string[] = [...Object.values(LINK_STATES), ...Object.values(AGENT_STATES)];

/** Puts the real platform into the state that an interaction asks for, with rows of its own, and the proxy into its caller's place. */
export async function setUpState(name: string, platform: LivePlatform, door: DoorProxy): Promise<void> {
  // Messages are built beforehand: by the session of production, and of rows that stand in the strategy service's own tables.
  if (name === 'the agent is connected' || name === CHANGES_STATE) return;
  // Whoever asks on the stream sets up both of its ends.
  if (ON_THE_STREAM.includes(name)) return;
  door.stands.clear();
  if (CONSOLE_STATES.includes(name)) {
    await setUpConsole(name, platform, door);
    return;
  }
  const credentials = await platform.createExecutor('pact');
  door.bearer = `${credentials.keyId}.${credentials.secret}`;
  switch (name) {
    case STATES.known:
      return;
    case STATES.polling:
      await poll(credentials, platform.gatewayUrl);
      return;
    case STATES.unknown:
      door.bearer = `${credentials.keyId}.${'A'.repeat(credentials.secret.length)}`;
      return;
    case STATES.disabled:
      await platform.executors.disableExecutor({ executor: credentials.executorId });
      return;
    case CLI_STATES.connected:
      door.bearer = await accountWithOneExecutor(platform, credentials.executorName);
      return;
    case CLI_STATES.unknown:
      door.bearer = `${platform.token.slice(0, -8)}AAAAAAAA`;
      return;
    default:
      throw new Error(`nobody knows how to set up "${name}": add it to contracts/providers/states.ts`);
  }
}

/** An account of its own, whose only executor polls. @returns the bearer of its admin */
async function accountWithOneExecutor({ gatewayUrl, token }: LivePlatform, name: string): Promise<string> {
  const transport = createConnectTransport({ baseUrl: gatewayUrl, httpVersion: '1.1' });
  const founder = { headers: { authorization: `Bearer ${token}` } };
  const { bearer } = await createClient(AccessService, transport).createAccount({ accountId: `of-${name}` }, founder);
  const admin = { headers: { authorization: `Bearer ${bearer}` } };
  const { credentials } = await createClient(ExecutorService, transport).createExecutor({ name }, admin);
  if (credentials === undefined) throw new Error('an executor was created without credentials');
  await poll(credentials, gatewayUrl);
  return bearer;
}

/** The first poll of an executor gets epoch 1. */
async function poll({ keyId, secret }: Credentials, gatewayUrl: string): Promise<void> {
  const transport = pollTransport({ keyId, secret: new Secret(secret), linkUrls: [], gatewayUrl });
  if (transport === undefined) throw new Error('there is no gateway to poll');
  const { frame } = fromJson(ConnectRequestSchema, describedFrame('executor', 'executor hello'));
  const hello = create(HelloSchema, {
    journalId: frame.case === 'hello' ? frame.value.journalId : '',
    agentVersion: '1.0.0',
    contractDigest: OWN_DIGEST,
    kinds: ['ping'],
    inFlightMax: 8,
  });
  await createClient(ExecutorLinkService, transport).pollCommands({ hello });
}
