import { create } from '@bufbuild/protobuf';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type Halt,
  HaltAcknowledgementSchema,
  HaltSchema,
  HaltScope,
} from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { HaltView } from '../domain/halt.ts';
import type { CommandRecord } from '../domain/records.ts';
import { timestampOf } from '../wire/time.ts';
import type { SessionHandlerDependencies } from './dependencies.ts';
import { connectedOf } from './resolving.ts';

/** A kill switch as it stands, with who has acknowledged it and whom it waits for. */
export async function presentHalt(
  { upstream, halts }: SessionHandlerDependencies,
  { halt, targets }: HaltView,
): Promise<Halt> {
  const ids = targets.map(({ executorId }) => executorId);
  const online = await connectedOf(upstream, halt.accountId, ids);
  const closing = halt.closePositions ? await halts.closing(halt.id) : new Set<string>();
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
      const connected = online.has(executorId);
      return create(HaltAcknowledgementSchema, {
        executorId,
        executorName,
        connected,
        commandId: command.commandId,
        state: stateOf(command.state),
        flat,
        note: noteOf({
          flat,
          connected,
          closePositions: halt.closePositions,
          isClosing: closing.has(executorId),
          message: command.message,
          abandonReason,
        }),
        acknowledgeTime: timestampOf(acknowledgeTimeMs),
        giveUpTime: timestampOf(abandonTimeMs),
      });
    }),
  });
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
  isClosing: boolean;
  message: string;
  abandonReason: string;
}): string {
  const { flat, connected, closePositions, isClosing, message, abandonReason } = about;
  if (flat && isClosing) {
    return 'stopped; the venue has closed positions in part, and their sessions go on closing the rest';
  }
  if (flat) return closePositions ? 'stopped, positions closed' : 'stopped, positions kept as they were';
  if (abandonReason !== '') return `ended unconfirmed: ${abandonReason}`;
  if (message !== '') return `not stopped: ${message}`;
  return connected
    ? 'the agent has not confirmed yet'
    : 'the agent is away; it stops before anything else when it returns';
}
