import { isDeepStrictEqual } from 'node:util';
import { create, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type CommandDelivery,
  CommandDeliverySchema,
  type ConnectRequest,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { PING, sentCommand } from '../golden/sample-commands.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import { deliveryBytes } from '../../services/command/link/delivery-frame.ts';
import { AgentBench, type PeerStream } from './agent-bench.ts';
import { TradingVenue } from './venue.ts';

const PROOF = 4_711n;

/** Says one frame to the real agent, in a situation in which it means something, and checks that the agent does what it asks. */
export async function reaction(json: JsonValue, watch?: (frame: ConnectResponse) => ConnectResponse): Promise<void> {
  const message = fromJson(ConnectResponseSchema, json);
  const { frame } = message;
  let watching = false;
  const venue = new TradingVenue();
  await using bench = await AgentBench.start({
    venue,
    watch: (each) => (watching && each.frame.case === frame.case ? (watch?.(each) ?? each) : each),
  });
  const stream = await bench.stream();
  await expectFrame(stream, ({ frame: said }) => said.case === 'hello', 'hello');
  if (frame.case !== 'welcome') stream.welcome();
  if (frame.case === 'cancels' || frame.case === 'inquiry' || frame.case === 'eventsAcknowledged') {
    await openCommand(bench, stream, frame.value.commandIds[0] ?? '');
  }
  watching = true;
  stream.toAgent.push(message);
  switch (frame.case) {
    case 'welcome':
      await answered(stream);
      expect(bench.executor.state.kind === 'ready', 'the agent is ready after a welcome');
      return;
    case 'commands':
      for (const command of frame.value.commands) await executed(bench, command);
      return;
    case 'cancels':
      await answered(stream);
      expect((await bench.venue.execution(frame.value.commandIds[0] ?? '')).context.signal.aborted, 'it is cancelled');
      return;
    case 'inquiry':
      await expectFrame(stream, (said) => hasEvent(said, 'started'), 'an answer to the inquiry');
      return;
    case 'drain':
      await bench.stream();
      return;
    case 'superseded':
      while ((await stream.next()) !== undefined) continue;
      expect(bench.executor.state.kind === 'superseded', 'the agent stays away');
      return;
    case 'heartbeat':
      await expectFrame(stream, ({ frame: said }) => said.case === 'heartbeatReply', 'a reply to the heartbeat');
      return;
    case 'prices':
      await answered(stream);
      expect(venue.taken.length > 0, 'the prices reach the venue');
      return;
    case 'venueEventsAcknowledged':
      await answered(stream);
      expect(isDeepStrictEqual(venue.durable, frame.value.numbers), 'the venue hears which of its events are durable');
      return;
    default:
      await answered(stream);
  }
}

/** A command that is with the agent, at the venue, and not finished. */
export async function openCommand(bench: AgentBench, stream: PeerStream, commandId: string): Promise<void> {
  const bytes = deliveryBytes({ ...sentCommand(PING), id: commandId }, SAMPLE.nowMs);
  const delivery = fromBinary(CommandDeliverySchema, bytes);
  stream.send({ case: 'commands', value: { commands: [delivery] } });
  await expectFrame(stream, (said) => hasEvent(said, 'started'), `the start of ${commandId}`);
  await bench.venue.execution(commandId);
}

async function executed({ venue }: AgentBench, command: CommandDelivery): Promise<void> {
  const { command: seen } = await venue.execution(command.commandId);
  expect(seen.attempt === command.attempt, 'the attempt reaches the venue');
  expect(isDeepStrictEqual({ ...seen.body }, { ...command.kind }), 'the parameters reach the venue');
}

/** Everything before has been handled when the agent answers a heartbeat. */
export async function answered(stream: PeerStream): Promise<void> {
  stream.toAgent.push(create(ConnectResponseSchema, { frame: { case: 'heartbeat', value: { number: PROOF } } }));
  const isAnswer = ({ frame }: ConnectRequest): boolean =>
    frame.case === 'heartbeatReply' && frame.value.number === PROOF;
  await expectFrame(stream, isAnswer, 'a sign that the frame was handled');
}

/** The agent's next frame of that form; others are passed over. */
export async function expectFrame(
  stream: PeerStream,
  found: (said: ConnectRequest) => boolean,
  what: string,
): Promise<ConnectRequest> {
  for (;;) {
    const said = await stream.next(`the agent does not send ${what}`);
    if (said === undefined) throw new Error(`the agent ended the stream instead of sending ${what}`);
    if (found(said)) return said;
  }
}

export function hasEvent({ frame }: ConnectRequest, name: string): boolean {
  return frame.case === 'events' && frame.value.events.some(({ event }) => event.case === name);
}

/** @throws Error when it does not hold */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}
