import { CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import type { LivePlatform } from '../providers/live-platform.ts';
import { Recorder } from './recorder.ts';
import type { Transcript } from './transcript.ts';

/** A conversation that every release must be able to have. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly run: (recorder: Recorder, platform: LivePlatform) => Promise<void>;
  /** It stops a replica: it gets a platform of its own. */
  readonly stopsReplica?: true;
}

const PING = { ping: { payload: 'hello' } };
const STOP = { stopSession: { sessionId: 'session-1', closePositions: true } };
const OPEN = {
  openPosition: {
    sessionId: 'session-1',
    strategyId: 'strategy-1',
    symbol: 'BTC_USDT',
    side: 'SIDE_BUY',
    quantity: '1.5',
  },
};
/** Longer than the agent's first pause, shorter than a heartbeat. */
const RECONNECT_MS = 1_000;
const START_WITHIN = '2s';
const AFTER_START_WITHIN_MS = 2_600;
const FINISH_WITHIN = '3s';
const AFTER_FINISH_WITHIN_MS = 3_600;

async function finishedPing(recorder: Recorder, command: string): Promise<void> {
  await recorder.issue(command, PING);
  await recorder.venue('succeeds', 'a', command);
  await recorder.sees(command, CommandState.SUCCEEDED);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'connect',
    about: 'An agent connects, executes a command, and its result is acknowledged.',
    run: async (recorder) => {
      await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', OPEN);
      await recorder.until('a', 'says started');
      await recorder.venue('reports', 'a', 'first');
      await recorder.until('a', 'says progress');
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.until('a', 'hears eventsAcknowledged');
      await recorder.sees('first', CommandState.SUCCEEDED);
    },
  },
  {
    name: 'resume',
    about:
      'The network breaks while a command runs: the agent says what it holds, nothing is sent twice, and the result counts.',
    run: async (recorder) => {
      const agent = await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', STOP);
      await recorder.until('a', 'says started');
      await recorder.sees('first', CommandState.RUNNING);
      agent.break();
      await agent.reconnected(RECONNECT_MS);
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.until('a', 'hears eventsAcknowledged', 2);
      await recorder.sees('first', CommandState.SUCCEEDED);
    },
  },
  {
    name: 'supersede',
    about: 'A second machine comes with the same credential: the first is told so and cut off, and the second acts.',
    run: async (recorder) => {
      await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.agent('b');
      await recorder.until('b', 'hears welcome');
      await recorder.until('a', 'hears superseded');
      await recorder.issue('first', PING);
      await recorder.venue('succeeds', 'b', 'first');
      await recorder.until('b', 'hears eventsAcknowledged');
      await recorder.sees('first', CommandState.SUCCEEDED);
    },
  },
  {
    name: 'duplicate',
    about: 'The acknowledgement of a result is lost with the network: the agent reports it again, and it counts once.',
    run: async (recorder) => {
      const agent = await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', PING);
      await recorder.until('a', 'says started');
      agent.deafTo('eventsAcknowledged');
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.until('a', 'says finished');
      await recorder.sees('first', CommandState.SUCCEEDED);
      agent.break();
      await agent.reconnected(RECONNECT_MS);
      await recorder.until('a', 'hears eventsAcknowledged', 2);
      await finishedPing(recorder, 'second');
      await recorder.until('a', 'hears eventsAcknowledged', 2, 2);
    },
  },
  {
    name: 'sent-again',
    about: 'A command is lost on its way with the network: the agent comes without it, and it is sent a second time.',
    run: async (recorder) => {
      const agent = await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      agent.deafTo('commands');
      await recorder.issue('first', PING);
      await recorder.sees('first', CommandState.SENT);
      agent.break();
      await agent.reconnected(RECONNECT_MS);
      await recorder.until('a', 'says started', 2);
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.until('a', 'hears eventsAcknowledged', 2);
      await recorder.sees('first', CommandState.SUCCEEDED);
    },
  },
  {
    name: 'cancel-race',
    about: 'An operator cancels what the venue is just finishing: the agent is asked, and what really happened counts.',
    run: async (recorder) => {
      await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', OPEN);
      await recorder.until('a', 'says started');
      await recorder.sees('first', CommandState.RUNNING);
      await recorder.cancel('first');
      await recorder.until('a', 'hears cancels');
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.until('a', 'hears eventsAcknowledged');
      await recorder.sees('first', CommandState.SUCCEEDED);
    },
  },
  {
    name: 'expiry',
    about: 'A command cannot be started in time at the agent: it ends as expired, without an effect.',
    run: async (recorder) => {
      const agent = await recorder.agent('a', { concurrencyMax: 1 });
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', PING);
      await recorder.until('a', 'says started');
      await recorder.issue('second', { ...PING, deadlines: { startWithin: START_WITHIN } });
      await recorder.sees('second', CommandState.RECEIVED);
      agent.wait(AFTER_START_WITHIN_MS);
      await recorder.until('a', 'says finished');
      await recorder.sees('second', CommandState.EXPIRED);
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.sees('first', CommandState.SUCCEEDED);
      await recorder.until('a', 'hears eventsAcknowledged', 1, 2);
    },
  },
  {
    name: 'drain',
    about: 'A replica goes away: the agent opens a stream to another one, which takes over from the first.',
    stopsReplica: true,
    run: async (recorder, platform) => {
      const second = await platform.anotherReplica();
      await recorder.agent('a', {}, [platform.replica.linkUrl, second.linkUrl]);
      await recorder.until('a', 'hears welcome');
      await recorder.drain();
      await recorder.until('a', 'hears welcome', 2);
    },
  },
  {
    name: 'late-result',
    about: 'The agent cannot say in time how a command ended, and says it later: the outcome is settled.',
    run: async (recorder) => {
      const agent = await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.issue('first', { ...OPEN, deadlines: { finishWithin: FINISH_WITHIN } });
      await recorder.until('a', 'says started');
      agent.wait(AFTER_FINISH_WITHIN_MS);
      await recorder.sees('first', CommandState.OUTCOME_UNKNOWN);
      await recorder.until('a', 'hears eventsAcknowledged');
      await recorder.venue('succeeds', 'a', 'first');
      await recorder.sees('first', CommandState.SUCCEEDED);
      await recorder.until('a', 'hears eventsAcknowledged', 1, 2);
    },
  },
  {
    name: 'disabled',
    about:
      'An operator disables the executor: its stream ends with a status and a reason, by which the agent stays away.',
    run: async (recorder) => {
      await recorder.agent('a');
      await recorder.until('a', 'hears welcome');
      await recorder.disable();
      await recorder.until('a', 'ended');
    },
  },
  {
    name: 'refused-kind',
    about:
      'An operator asks for a kind that the agent did not offer: the call is refused, and the agent hears nothing of it.',
    run: async (recorder) => {
      await recorder.agent('a', { kinds: ['ping', 'stop_session'] });
      await recorder.until('a', 'hears welcome');
      await recorder.refused(OPEN);
      await finishedPing(recorder, 'first');
      await recorder.until('a', 'hears eventsAcknowledged');
    },
  },
];

/** Lets the conversation take place and gives what was said. */
export async function record(scenario: Scenario, platform: LivePlatform): Promise<Transcript> {
  await using recorder = new Recorder(platform, await platform.createExecutor(scenario.name));
  await scenario.run(recorder, platform);
  const transcript = recorder.transcript(scenario.name, scenario.about);
  if (scenario.stopsReplica !== true) return transcript;
  // Whether the stream that is left ends by a farewell or by being taken over is a race that decides nothing.
  const moved = transcript.steps.findIndex((step) => 'stream' in step && step.stream > 1);
  const steps = transcript.steps.filter((step, at) => at < moved || !('stream' in step) || step.stream > 1);
  return { ...transcript, steps };
}
