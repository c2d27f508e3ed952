import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { MatchersV3, PactV4 } from '@pact-foundation/pact';
import {
  ExecutorService,
  ListExecutorsResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { executorRow } from '../../services/cli/executor/view.ts';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { sampleMessage } from '../../test/conformance/sample-request.ts';
import { isObject } from '../golden/frame.ts';
import { sampleOf } from '../golden/sample-values.ts';
import { objectOf } from '../schema/json.ts';
import { COMMAND_STATES } from './console-command-calls.ts';
import { needsOf } from './matchers.ts';
import { Reads } from './reads.ts';

const CLI_PACT = { consumer: 'cli', provider: 'gateway' } as const;
const PATH = pathOf(ExecutorService.method.listExecutors);
const JSON_TYPE = 'application/json';

/** Of an executor that nothing happened to. */
const MAY_BE_ABSENT: ReadonlySet<string> = new Set(['labels', 'lastRefusal']);

/** States of the provider, by the name that both sides know them by. */
export const CLI_STATES = {
  connected: 'an executor of the account polls',
  unknown: COMMAND_STATES.unknown,
} as const;

/** Writes the pact of the command line, and of everybody who reads the gateway's JSON as it does: the list of executors. */
export async function writeCliHttp(directory: string): Promise<void> {
  const needed = objectOf(listNeeds());
  const respond = [
    {
      state: CLI_STATES.connected,
      description: 'a list of executors',
      status: 200,
      body: needsOf(ListExecutorsResponseSchema, needed),
    },
    {
      state: CLI_STATES.unknown,
      description: 'a list with a token that nobody knows',
      status: 401,
      body: { code: 'unauthenticated', message: MatchersV3.like('what was wrong') },
    },
  ];
  for (const { state, description, status, body } of respond) {
    await new PactV4({ ...CLI_PACT, dir: directory, logLevel: 'error' })
      .addInteraction()
      .given(state)
      .uponReceiving(description)
      .withRequest('POST', PATH, (wanted) => {
        const authorization = MatchersV3.regex('^Bearer .+$', 'Bearer t.secret');
        wanted.headers({ authorization, 'content-type': JSON_TYPE }).jsonBody({});
      })
      .willRespondWith(status, (given) => {
        given.headers({ 'content-type': JSON_TYPE }).jsonBody(body);
      })
      .executeTest(async ({ url }) => {
        const transport = createConnectTransport({ baseUrl: url, httpVersion: '1.1', useBinaryFormat: false });
        const headers = { authorization: 'Bearer t.secret' };
        const answer = createClient(ExecutorService, transport).listExecutors({}, { headers });
        const rows = await answer.then(
          ({ executors }) => executors.map(executorRow),
          () => [],
        );
        if (rows.length !== (status === 200 ? 1 : 0)) throw new Error('the command line reads the answer otherwise');
      });
  }
}

/** What the command line's table reads of an executor. What may be zero or absent is not there in JSON, and cannot be asked for. */
function listNeeds(): JsonValue {
  const json = sampleMessage(ListExecutorsResponseSchema, sampleOf);
  const reads = new Reads();
  const watched = reads.watch(ListExecutorsResponseSchema, fromJson(ListExecutorsResponseSchema, json));
  for (const executor of watched.executors) executorRow(executor);
  return alwaysThere(reads.needed(json) ?? {});
}

function alwaysThere(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(alwaysThere);
  if (!isObject(json)) return json;
  const kept = Object.entries(json).filter(([key, value]) => typeof value !== 'number' && !MAY_BE_ABSENT.has(key));
  const there: JsonObject = Object.fromEntries(kept.map(([key, value]) => [key, alwaysThere(value)]));
  return there;
}
