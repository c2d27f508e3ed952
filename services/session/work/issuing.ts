import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import type { CommandRecord, SessionRecord } from '../domain/records.ts';
import type { Observed } from '../domain/observed.ts';
import type { Upstream } from '../upstream.ts';
import { commandRequest } from '../wire/command-request.ts';
import { observedFromProto } from '../wire/observed-from-proto.ts';

/** Codes of refusals that may pass: RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const PASSING_CODES: readonly number[] = [8, 10, 13, 14];
const COMMANDS_PER_CALL = 100;

/**
 * Issues commands in their order; those that are known already come back as they are. A command that cannot be issued is
 * REFUSED; one whose refusal may pass is left out, with everything after it of its session. Stops of the kill switch, which
 * belong to no session, wait for no other executor's.
 * @throws ConnectError when the command service is away; commands may have been issued then, and issuing them again does no harm.
 */
export async function issue(
  upstream: Upstream,
  accountId: string,
  commands: readonly CommandRecord[],
  session: SessionRecord | undefined,
): Promise<Observed[]> {
  const observed: Observed[] = [];
  for (let at = 0; at < commands.length; at += COMMANDS_PER_CALL) {
    const part = commands.slice(at, at + COMMANDS_PER_CALL);
    const requests = part.map((command) => commandRequest(command, session));
    const outcomes = await upstream.issue(accountId, requests);
    for (const [index, { outcome }] of outcomes.entries()) {
      const command = part[index];
      if (command === undefined) break;
      if (outcome.case === 'issued' && outcome.value.command !== undefined) {
        observed.push(observedFromProto(outcome.value.command));
      } else if (outcome.case === 'error') {
        if (PASSING_CODES.includes(outcome.value.code)) {
          if (session !== undefined) return observed;
          continue;
        }
        observed.push(refused(command, ErrorReason[outcome.value.reason] ?? '', outcome.value.message));
      }
    }
  }
  return observed;
}

/** Commands that were issued long ago, as they are now. */
export async function look(
  upstream: Upstream,
  accountId: string,
  commands: readonly CommandRecord[],
): Promise<Observed[]> {
  const found = await Promise.all(
    commands.map(({ commandId: id }) => upstream.commands.getCommand({ id }, upstream.as(accountId))),
  );
  return found.flatMap(({ command }) => (command === undefined ? [] : [observedFromProto(command)]));
}

/** Cancels a command. One that has ended meanwhile stays as it is: its end is told like every other. */
export async function cancel(upstream: Upstream, accountId: string, id: string): Promise<void> {
  try {
    await upstream.commands.cancelCommand({ id }, upstream.as(accountId));
  } catch (thrown) {
    if (ConnectError.from(thrown).code !== Code.FailedPrecondition) throw thrown;
  }
}

function refused(command: CommandRecord, reason: string, message: string): Observed {
  return {
    requestId: command.requestId,
    commandId: '',
    state: 'REFUSED',
    reason,
    message,
    finishTimeMs: Date.now(),
    fills: [],
    closedBy: '',
    positions: undefined,
  };
}
