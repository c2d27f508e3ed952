import { timestampMs } from '@bufbuild/protobuf/wkt';
import { v7 as uuid } from 'uuid';
import { type Command, CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { messageOf } from '../../platform/errors.ts';
import type { Clients } from '../client.ts';
import { lastState } from '../command/wait.ts';
import { formatMs } from '../terminal/duration.ts';
import type { Output } from '../terminal/output.ts';
import { type Finding, ill, timed, well } from './finding.ts';

const WITHIN_MS = 10_000;

/** Sends a ping the whole way to the adapter and back, and tells how long each hop took. */
export async function canaryFinding(clients: Clients, executor: string, out: Output): Promise<Finding> {
  const step = `canary:${executor}`;
  const startMs = performance.now();
  try {
    const { value: command, tookMs } = await timed(() => pinged(clients, executor, out));
    if (command.state === CommandState.SUCCEEDED) return well(step, hops(command), tookMs);
    const explained = await clients.commands.explainCommand({ id: command.id });
    const words = {
      found: explained.sentence,
      meaning: 'commands do not get through to this executor now',
      next: `strategos command explain ${command.id}`,
    };
    return ill(step, 'fault', words, tookMs);
  } catch (thrown) {
    const words = {
      found: `a ping could not be sent: ${messageOf(thrown)}`,
      meaning: 'commands cannot be issued to this executor now',
      next: `strategos executor get ${executor}`,
    };
    return ill(step, 'fault', words, performance.now() - startMs);
  }
}

/** The command when it has ended, or as it is when the time is over. */
async function pinged({ commands }: Clients, executor: string, out: Output): Promise<Command> {
  const { command } = await commands.issueCommand({
    executor,
    requestId: uuid(),
    kind: { case: 'ping', value: { payload: 'doctor' } },
  });
  if (command === undefined) throw new Error('the platform answered without a command');
  return lastState({ commands, out }, command, WITHIN_MS);
}

function hops({ createTime, sentTime, receivedTime, startTime, finishTime }: Command): string {
  const times = [createTime, sentTime, receivedTime, startTime, finishTime].map((time) =>
    time === undefined ? undefined : timestampMs(time),
  );
  const names = ['sent', 'received', 'started', 'finished'];
  const parts = names.flatMap((name, index) => {
    const [from, to] = [times[index], times[index + 1]];
    return from === undefined || to === undefined ? [] : [`${name} +${formatMs(Math.max(0, to - from))}`];
  });
  return `there and back: ${parts.join(', ')}`;
}
