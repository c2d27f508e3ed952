import { Code, ConnectError } from '@connectrpc/connect';
import { CommanderError } from 'commander';
import { ErrorInfoSchema, RequestInfoSchema } from '../../../proto/gen/google/rpc/error_details_pb.js';
import { ConfigError } from '../../platform/environment.ts';
import { messageOf, StatusError } from '../../platform/errors.ts';
import { reasonOf, violationsOf } from '../../platform/grpc/status.ts';

/** What the program ends with. */
export const EXIT = {
  done: 0,
  /** The command or the call failed. */
  failed: 1,
  usage: 2,
  /** `--wait` ran out. */
  waitOver: 4,
} as const;

/** Ends the program with a sentence for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What was typed cannot be meant. */
export function usageError(message: string, cause?: unknown): CliError {
  return new CliError(EXIT.usage, message, { cause });
}

/** A failure in the form in which it is printed. */
export interface Failure {
  readonly exitCode: number;
  readonly message: string;
  readonly code?: string;
  readonly reason?: string;
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
  readonly requestId?: string;
  readonly hint?: string;
}

/** Of a reason that is given for several things: what to do next, by how the server's sentence begins. */
type HintsByThing = readonly (readonly [RegExp, string])[];

/** What to do next, by reason; the server's sentence says what was wrong. */
const HINTS: Readonly<Record<string, string | HintsByThing>> = {
  CREDENTIAL_INVALID: 'set STRATEGOS_TOKEN or --token; when every token is lost: strategos token recover',
  CREDENTIAL_REVOKED: 'ask an admin for another token (strategos token create)',
  ROLE_INSUFFICIENT: 'use a token with that role (strategos token create NAME --role ROLE)',
  NAME_TAKEN: [
    [/^an executor /, 'choose another name, or look at the existing one with strategos executor get NAME'],
    [/^a strategy /, 'choose another name, or look at the existing one with strategos strategy get NAME'],
  ],
  REQUEST_ID_REUSED: 'leave --request-id out, or choose another one for another command',
  CURSOR_TOO_OLD: [
    [/^the history /, 'start again with strategos command list, then watch without --cursor'],
    [/^the changes /, 'start again with strategos session get ID, then watch without --cursor'],
    [/^the evaluations /, 'start again with strategos instance list, then watch without --cursor'],
  ],
  RATE_LIMITED: 'wait a moment and try again',
  QUEUE_FULL: 'see strategos executor get EXECUTOR, and cancel what is not wanted any more',
  EXECUTOR_DISABLED: 'see strategos executor list',
  KIND_UNSUPPORTED: 'strategos executor get EXECUTOR lists the kinds that its agent takes',
  STATE_ILLEGAL: [
    [/^command /, 'strategos command get ID shows its state'],
    [/^session /, 'strategos session get ID shows its state'],
  ],
  REVISION_STALE:
    'strategos strategy diff STRATEGY shows what changed in between; then update from the newest revision',
  ALERT_CHANNELS_MISSING: 'with strategos up: set the variables where it is started',
  STRATEGY_IN_USE: 'strategos strategy rollout STRATEGY shows where it runs',
};

/** Turns anything thrown into what is printed and the exit code. */
export function failureOf(thrown: unknown, url: string | undefined): Failure {
  if (thrown instanceof CliError) return { exitCode: thrown.exitCode, message: thrown.message };
  if (thrown instanceof CommanderError) return { exitCode: EXIT.usage, message: thrown.message };
  if (thrown instanceof ConfigError) return { exitCode: EXIT.usage, message: thrown.message };
  if (thrown instanceof StatusError) {
    return { exitCode: EXIT.failed, message: thrown.message, reason: thrown.reason, violations: thrown.violations };
  }
  if (thrown instanceof ConnectError) return connectFailure(thrown, url);
  return { exitCode: EXIT.failed, message: messageOf(thrown) };
}

/** True for a failure to get to the platform at all, or of a platform that is just coming or going. */
export function isUnavailable(thrown: unknown): boolean {
  return thrown instanceof ConnectError && thrown.code === Code.Unavailable;
}

function connectFailure(error: ConnectError, url: string | undefined): Failure {
  const reason = reasonOf(error);
  const neverAnswered = error.findDetails(ErrorInfoSchema).length === 0;
  if (neverAnswered && (error.code === Code.Unavailable || error.code === Code.DeadlineExceeded)) {
    return {
      exitCode: EXIT.failed,
      code: 'UNAVAILABLE',
      message: `cannot reach the platform at ${url ?? 'its address'}: ${withoutCode(error.rawMessage)}`,
      hint: 'start it with strategos up, or name another address with --url or STRATEGOS_URL',
    };
  }
  if (neverAnswered) {
    return {
      exitCode: EXIT.failed,
      code: codeName(error.code),
      message: `${url ?? 'the address'} does not answer like a strategos gateway: ${error.rawMessage}`,
      hint: 'name the gateway with --url or STRATEGOS_URL',
    };
  }
  const requestId = error.findDetails(RequestInfoSchema)[0]?.requestId;
  const hint = hintOf(reason, error.rawMessage);
  return {
    exitCode: EXIT.failed,
    code: codeName(error.code),
    message: error.rawMessage,
    violations: violationsOf(error),
    ...(reason === undefined ? {} : { reason }),
    ...(requestId === undefined || requestId === '' ? {} : { requestId }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function hintOf(reason: string | undefined, message: string): string | undefined {
  const hint = reason === undefined ? undefined : HINTS[reason];
  return typeof hint === 'object' ? hint.find(([begins]) => begins.test(message))?.[1] : hint;
}

function codeName(code: Code): string {
  return (Code[code] ?? String(code)).replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** Node's words for a failed connection, without the system call. */
function withoutCode(message: string): string {
  return message.includes('ECONNREFUSED') ? 'nothing listens there' : message;
}
