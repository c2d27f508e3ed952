import {
  create,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Client, createClient } from '@connectrpc/connect';
import { MatchersV3, PactV4 } from '@pact-foundation/pact';
import { ErrorInfoSchema } from '../../proto/gen/google/rpc/error_details_pb.js';
import {
  ConnectRequestSchema,
  EventBatchSchema,
  ExecutorLinkService,
  type Hello,
  PollCommandsRequestSchema,
  PollCommandsResponseSchema,
  ReportEventsRequestSchema,
  ReportEventsResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { Secret } from '../../services/executor/index.ts';
import { linkEndOf } from '../../services/executor/stream/link-end.ts';
import { pollTransport } from '../../services/executor/stream/transports.ts';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { frameNamed, isObject, type MadeFrame } from '../golden/frame.ts';
import { todaysFrames } from '../golden/make.ts';
import { SAMPLE, sampleId } from '../golden/sample-values.ts';
import { EXECUTOR_PACT, executorNeeds } from './executor-messages.ts';
import { needsOf } from './matchers.ts';

const { arrayContaining, like, regex } = MatchersV3;
const CREDENTIAL = 'k0.not-a-secret';
const JSON_TYPE = 'application/json';
const REASON = 'STREAM_SUPERSEDED';
/** The agent reads the reason out of the bytes; the text beside it is the same reason for people, and for this pact. */
const SUPERSEDED = {
  type: 'google.rpc.ErrorInfo',
  debug: { reason: REASON },
  value: like(Buffer.from(toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { reason: REASON }))).toString('base64')),
};

/** A state of the provider, by the name that both sides know it by. */
export const STATES = {
  known: 'the executor is registered',
  polling: 'the executor polls, with epoch 1',
  unknown: 'nobody knows the credential',
  disabled: 'the executor is disabled',
} as const;

type LinkClient = Client<typeof ExecutorLinkService>;

interface Interaction {
  readonly state: string;
  readonly description: string;
  readonly method: DescMethod;
  /** Values and matchers, as the mock server takes them. */
  readonly request: unknown;
  readonly status: number;
  readonly response: unknown;
  /** What the agent does with the answer; throws when it cannot. */
  readonly use: (client: LinkClient) => Promise<void>;
}

/** Writes the HTTP interactions of the pact `executor-platform`: the unary fallback, by the agent's own client. */
export async function writeExecutorHttp(directory: string): Promise<void> {
  for (const { state, description, method, request, status, response, use } of await interactions()) {
    const pact = new PactV4({ ...EXECUTOR_PACT, dir: directory, logLevel: 'error' });
    await pact
      .addInteraction()
      .given(state)
      .uponReceiving(description)
      .withRequest('POST', pathOf(method), (wanted) => {
        const authorization = regex('^Bearer .+$', `Bearer ${CREDENTIAL}`);
        wanted.headers({ authorization, 'content-type': JSON_TYPE }).jsonBody(request);
      })
      .willRespondWith(status, (given) => {
        given.headers({ 'content-type': JSON_TYPE }).jsonBody(response);
      })
      .executeTest(async ({ url }) => {
        const [keyId = '', secret = ''] = CREDENTIAL.split('.');
        const transport = pollTransport({ keyId, secret: new Secret(secret), linkUrls: [], gatewayUrl: url });
        if (transport === undefined) throw new Error('the agent has no transport for polling');
        await use(createClient(ExecutorLinkService, transport));
      });
  }
}

async function interactions(): Promise<Interaction[]> {
  const { frames } = await todaysFrames();
  const hello = helloOf(frames);
  const poll = create(PollCommandsRequestSchema, { hello, wait: durationFromMs(1_000) });
  const pollJson = jsonOf(toJson(PollCommandsRequestSchema, poll));
  const report = create(ReportEventsRequestSchema, {
    streamEpoch: 1n,
    events: eventsOf(frames),
    inFlightLimit: { inFlightMax: 8 },
  });
  const welcome = (await executorNeeds()).find(({ name }) => name === 'platform welcome');
  if (welcome === undefined) throw new Error('the agent needs nothing of a welcome');
  const polled = { frames: [welcome.json], pollTime: '2024-01-01T00:00:00Z' };
  const refusal = (code: string) => ({ code, message: like('what was wrong') });
  const pollCommands = { method: ExecutorLinkService.method.pollCommands, request: like(pollJson) };
  const refused = async (client: LinkClient): Promise<void> => {
    const end = await client.pollCommands(poll).then(() => ({ kind: 'answered' }), linkEndOf);
    if (end.kind !== 'refused') throw new Error(`the agent takes a refusal for ${end.kind}`);
  };
  return [
    {
      ...pollCommands,
      state: STATES.known,
      description: 'a first poll',
      status: 200,
      response: needsOf(PollCommandsResponseSchema, polled),
      use: async (client) => {
        const [first] = (await client.pollCommands(poll)).frames;
        if (first?.frame.case !== 'welcome') throw new Error('the agent finds no welcome');
      },
    },
    {
      ...pollCommands,
      state: STATES.unknown,
      description: 'a poll with a credential that nobody knows',
      status: 401,
      response: refusal('unauthenticated'),
      use: refused,
    },
    {
      ...pollCommands,
      state: STATES.disabled,
      description: 'a poll of a disabled executor',
      status: 403,
      response: refusal('permission_denied'),
      use: refused,
    },
    {
      method: ExecutorLinkService.method.reportEvents,
      request: jsonOf(toJson(ReportEventsRequestSchema, report)),
      state: STATES.polling,
      description: 'a report of an event',
      status: 200,
      response: jsonOf(
        toJson(ReportEventsResponseSchema, fromJson(ReportEventsResponseSchema, { eventsAcknowledged: {} })),
      ),
      use: async (client) => {
        await client.reportEvents(report);
      },
    },
    {
      method: ExecutorLinkService.method.reportEvents,
      request: jsonOf(toJson(ReportEventsRequestSchema, report)),
      state: STATES.known,
      description: 'a report under an epoch that is not the newest',
      status: 409,
      response: { ...refusal('aborted'), details: arrayContaining(SUPERSEDED) },
      use: async (client) => {
        const end = await client.reportEvents(report).then(() => ({ kind: 'answered' }), linkEndOf);
        if (end.kind !== 'superseded') throw new Error(`the agent takes it for ${end.kind}`);
      },
    },
  ];
}

function helloOf(frames: readonly MadeFrame[]): Hello {
  const made = frameNamed(frames, 'executor hello');
  if (made.from !== 'executor' || made.message.frame.case !== 'hello') throw new Error('the agent says no hello');
  return { ...made.message.frame.value, journalId: SAMPLE.journalId };
}

function eventsOf(frames: readonly MadeFrame[]) {
  const made = frameNamed(frames, 'executor events/received');
  if (made.from !== 'executor') throw new Error('the agent says no receipt');
  const { frame } = create(ConnectRequestSchema, made.message);
  if (frame.case !== 'events') throw new Error('a receipt is no event');
  const events = frame.value.events.map((event) => ({ ...event, commandId: sampleId(1) }));
  return create(EventBatchSchema, { events });
}

function jsonOf(json: JsonValue): JsonObject {
  return isObject(json) ? json : {};
}
