import type { ConnectRequest } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AgentBench, type PeerStream } from '../consumers/agent-bench.ts';
import { HeldVenue } from '../consumers/venue.ts';
import { frameNamed, frameNameOf, type MadeFrame } from './frame.ts';
import { platformFrames } from './platform-frames.ts';
import { SAMPLE_MACHINE, sampleId } from './sample-values.ts';
import { eventsSingly } from './singly.ts';

const KIND = 'commands/stop_session';
/** More answers than an agent of so small a grant lets wait: it takes the grant back. */
const INQUIRED = 20;

/** Every frame that an executor says, by the real agent, made to say it by what the platform and the venue do. */
export async function executorFrames(): Promise<MadeFrame[]> {
  await using bench = await AgentBench.start({ inFlightMax: 2, venue: new HeldVenue() });
  const said = new Map<string, ConnectRequest>();
  const stream = await bench.stream();
  const until = async (...names: readonly string[]): Promise<void> => {
    while (!names.every((name) => said.has(name)))
      take(await stream.next(`the agent does not say ${names.join(', ')}`), said);
  };
  take(await stream.next(), said);
  stream.welcome();
  const commandId = await deliverOne(stream);
  await until('executor events/started');
  await bench.venue.progress(commandId, 'half of it is done', 50);
  await until('executor events/progress');
  await bench.venue.succeed(commandId);
  await until('executor events/finished');
  stream.send({ case: 'heartbeat', value: { number: 5n } });
  await until('executor heartbeat_reply');
  bench.clock.advance(8_001);
  await until('executor heartbeat');
  stream.send({
    case: 'inquiry',
    value: { commandIds: Array.from({ length: INQUIRED }, (_, n) => sampleId(900 + n)) },
  });
  await until('executor events/not_found', 'executor in_flight_limit');
  const stopped = bench.stop();
  await until('executor goodbye');
  stream.end();
  await stopped;
  return [...said].map(([name, message]) => ({ name, from: 'executor', message }));
}

async function deliverOne(stream: PeerStream): Promise<string> {
  const made = frameNamed(await platformFrames(), `platform ${KIND}`);
  if (made.from !== 'platform') throw new Error(`the platform makes no ${KIND}`);
  stream.toAgent.push(made.message);
  return made.message.frame.case === 'commands' ? (made.message.frame.value.commands[0]?.commandId ?? '') : '';
}

/** Keeps the first frame of each name; of an event, the frame that begins with it. */
function take(message: ConnectRequest | undefined, said: Map<string, ConnectRequest>): void {
  if (message === undefined) throw new Error(`the agent left after ${[...said.keys()].join(', ')}`);
  const { frame } = message;
  if (frame.case === 'hello') Object.assign(frame.value, SAMPLE_MACHINE);
  for (const each of eventsSingly(message)) {
    const name = frameNameOf('executor', each);
    if (!said.has(name)) said.set(name, each);
  }
}
