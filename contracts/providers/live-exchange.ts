import { create, fromJson, type JsonObject, toJson } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
  ExecutorLinkService,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AsyncQueue } from '../../services/platform/async-queue.ts';
import { inTime } from '../consumers/agent-bench.ts';
import { LINK_COMMAND, LINK_STATES } from '../consumers/executor-exchanges.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import { documentOf } from '../schema/json.ts';
import { type OnTheWire, UNCHANGED } from '../transcripts/replay-platform.ts';
import { PINGER, streamLink } from './agent-links.ts';
import type { LivePlatform } from './live-platform.ts';

const FRAMES_MAX = 100;
/** Long enough for a loaded machine: what is right must never be taken for a break. */
const ANSWER_MS_MAX = 8_000;
/** Where one answer has not come, the build is refused whatever the others say: a mute platform took eight seconds for each. */
const MUTE_ANSWER_MS_MAX = 1_000;

/** How long the questions of one verification wait for an answer. */
export class Patience {
  answerMsMax = ANSWER_MS_MAX;

  lose(): void {
    this.answerMsMax = MUTE_ANSWER_MS_MAX;
  }
}

/**
 * Asks the real link service over a real stream, as an executor that is in the state `state`, and gives its answer. Ids of the
 * pact's command stand for the real one on the way there and back.
 * @throws Error when no answer comes
 */
export async function askPlatform(
  content: JsonObject,
  state: string,
  platform: LivePlatform,
  wire: OnTheWire = UNCHANGED,
  patience = new Patience(),
): Promise<ConnectResponse> {
  const credentials = await platform.createExecutor('exchange');
  const transport = streamLink(platform.replica.linkUrl, credentials);
  const said = new AsyncQueue<ConnectRequest>({ itemsMax: FRAMES_MAX });
  const ending = new AbortController();
  try {
    const frames = createClient(ExecutorLinkService, transport).connect(said, { signal: ending.signal });
    const heard = wire.fromPlatform(frames)[Symbol.asyncIterator]();
    const say = (json: JsonObject): void => {
      said.push(create(ConnectRequestSchema, wire.toPlatform(fromJson(ConnectRequestSchema, json))));
    };
    let commandId: string = LINK_COMMAND;
    if (state !== LINK_STATES.registered) {
      say(hello());
      await answer(heard, patience);
    }
    if (state === LINK_STATES.holding) {
      const kind = { case: 'ping', value: { payload: 'of the pact' } } as const;
      const { command } = await platform.commands.issueCommand({ executor: credentials.executorId, kind });
      commandId = command?.id ?? '';
      await answer(heard, patience);
    }
    say(withId(content, LINK_COMMAND, commandId));
    const json = toJson(ConnectResponseSchema, await answer(heard, patience));
    return fromJson(ConnectResponseSchema, withId(json, commandId, LINK_COMMAND));
  } finally {
    ending.abort(new Error('asked and answered'));
    said.end();
    transport.close();
  }
}

/** What the platform says next; it beats when its time has come. */
async function answer(heard: AsyncIterator<ConnectResponse>, patience: Patience): Promise<ConnectResponse> {
  for (;;) {
    const next = await inTime(heard.next(), 'the platform does not answer', patience.answerMsMax).catch(
      (thrown: unknown) => {
        patience.lose();
        throw thrown;
      },
    );
    if (next.done === true) throw new Error('the platform ends the stream instead of answering');
    if (next.value.frame.case !== 'heartbeat') return next.value;
  }
}

function hello(): JsonObject {
  const agentTime = new Date().toISOString();
  return { hello: { ...PINGER, host: SAMPLE.host, platform: 'linux-x64', agentTime, takesPrices: true } };
}

function withId<T>(document: T, from: string, to: string): T {
  return documentOf<T>(JSON.stringify(document).replaceAll(from, () => to));
}
