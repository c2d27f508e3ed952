import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import {
  type Halt,
  HaltAcknowledgementSchema,
  HaltSchema,
  HaltScope,
} from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { HaltView } from '../domain/halt.ts';
import type { CommandRecord } from '../domain/records.ts';
import type { Upstream } from '../upstream.ts';
import { timestampOf } from '../wire/time.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';

/** A kill switch as it stands, with who has acknowledged it and whom it waits for. */
export async function presentHalt(
  { upstream }: SessionHandlerDependencies,
  { halt, targets }: HaltView,
): Promise<Halt> {
  const online = new Map<string, boolean>();
  await Promise.all(
    targets.map(async ({ executorId }) => {
      online.set(executorId, await isOnline(upstream, halt.accountId, executorId));
    }),
  );
  return create(HaltSchema, {
    id: halt.id,
    scope: HaltScope[halt.scope],
    target: halt.target,
    closePositions: halt.closePositions,
    author: halt.author,
    createTime: timestampOf(halt.createTimeMs),
    complete: halt.completeTimeMs !== null && targets.every(({ flat }) => flat),
    over: halt.completeTimeMs !== null,
    sessionIds: [...halt.sessionIds],
    acknowledgements: targets.map((target) => {
      const { executorId, executorName, command, flat, acknowledgeTimeMs, abandonTimeMs, abandonReason } = target;
      const connected = online.get(executorId) ?? false;
      return create(HaltAcknowledgementSchema, {
        executorId,
        executorName,
        connected,
        commandId: command.commandId,
        state: stateOf(command.state),
        flat,
        note: noteOf({ flat, connected, closePositions: halt.closePositions, message: command.message, abandonReason }),
        acknowledgeTime: timestampOf(acknowledgeTimeMs),
        giveUpTime: timestampOf(abandonTimeMs),
      });
    }),
  });
}

/** False for one that does not exist any more. */
async function isOnline(upstream: Upstream, accountId: string, executorId: string): Promise<boolean> {
  try {
    const { executor } = await upstream.executors.getExecutor({ executor: executorId }, upstream.as(accountId));
    return executor?.state === ExecutorState.ONLINE;
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.NotFound) throw thrown;
    return false;
  }
}

/** What was not issued yet, or could not be, is PENDING or REJECTED to those outside. */
function stateOf(state: CommandRecord['state']): CommandState {
  if (state === 'WANTED') return CommandState.PENDING;
  return state === 'REFUSED' || state === 'DROPPED' ? CommandState.REJECTED : CommandState[state];
}

function noteOf(about: {
  flat: boolean;
  connected: boolean;
  closePositions: boolean;
  message: string;
  abandonReason: string;
}): string {
  const { flat, connected, closePositions, message, abandonReason } = about;
  if (flat) return closePositions ? 'stopped, positions closed' : 'stopped, positions kept as they were';
  if (abandonReason !== '') return `ended unconfirmed: ${abandonReason}`;
  if (message !== '') return `not stopped: ${message}`;
  return connected
    ? 'the agent has not confirmed yet'
    : 'the agent is away; it stops before anything else when it returns';
}
