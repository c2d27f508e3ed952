import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../platform/environment.ts';
import { invalidFields, notFound, StatusError } from '../../platform/errors.ts';
import { toConnectError } from '../../platform/grpc/status.ts';
import { CliError, EXIT, failureOf, usageError } from './errors.ts';

const URL_CALLED = 'http://127.0.0.1:7070';

describe('failures', () => {
  test('what the platform refuses comes with its reason and every field', () => {
    const refused = toConnectError(
      invalidFields([
        { field: 'open_position.quantity', description: 'is required' },
        { field: 'open_position.symbol', description: 'is required' },
      ]),
      { requestId: 'r-1' },
    );
    expect(failureOf(refused, URL_CALLED)).toMatchObject({
      exitCode: EXIT.failed,
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_FIELD',
      requestId: 'r-1',
      violations: [
        { field: 'open_position.quantity', description: 'is required' },
        { field: 'open_position.symbol', description: 'is required' },
      ],
    });
    expect(failureOf(toConnectError(notFound('executor', 'vps-9')), URL_CALLED).message).toBe(
      'no executor "vps-9" in this account',
    );
  });

  test('a role that is too small comes with what to do', () => {
    const refused = toConnectError(new StatusError('PermissionDenied', 'ROLE_INSUFFICIENT', 'needs operator'));
    expect(failureOf(refused, URL_CALLED)).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringMatching(/token create/),
    });
  });

  test.each([
    ['STATE_ILLEGAL', 'command c is RUNNING: it has not ended', /^strategos command get ID/],
    ['STATE_ILLEGAL', 'session s is STOPPED: only one that is ACTIVE can be paused', /^strategos session get ID/],
    ['STATE_ILLEGAL', '"founder" is the last admin token of account "main"', undefined],
    ['NAME_TAKEN', 'an executor named "demo" exists; take another name', /strategos executor get NAME$/],
    ['NAME_TAKEN', 'a strategy named "pump" exists; take another name', /strategos strategy get NAME$/],
    ['NAME_TAKEN', 'the token name "ci" is taken; choose another, or revoke the token that has it', undefined],
    ['CURSOR_TOO_OLD', 'the history up to this cursor is no longer kept', /strategos command list/],
    ['CURSOR_TOO_OLD', 'the changes up to this cursor are no longer kept', /strategos session get ID/],
    ['CURSOR_TOO_OLD', 'the evaluations up to this cursor are no longer kept', /strategos instance list/],
  ] as const)('%s of "%s" comes with a command that fits it', (reason, message, hint) => {
    const failure = failureOf(toConnectError(new StatusError('FailedPrecondition', reason, message)), URL_CALLED);
    if (hint === undefined) expect(failure.hint).toBeUndefined();
    else expect(failure.hint).toMatch(hint);
  });

  test('a platform that is not there is told as such, with its address', () => {
    const gone = new ConnectError('connect ECONNREFUSED 127.0.0.1:7070', Code.Unavailable);
    expect(failureOf(gone, URL_CALLED)).toMatchObject({
      message: `cannot reach the platform at ${URL_CALLED}: nothing listens there`,
      hint: expect.stringMatching(/strategos up/),
    });
  });

  test('exit codes', () => {
    expect(failureOf(usageError('what?'), undefined).exitCode).toBe(EXIT.usage);
    expect(failureOf(new CliError(EXIT.waitOver, 'not over yet'), undefined).exitCode).toBe(EXIT.waitOver);
    expect(failureOf(new ConfigError('bad'), undefined).exitCode).toBe(EXIT.usage);
    expect(failureOf(new TypeError('a defect'), undefined)).toEqual({ exitCode: EXIT.failed, message: 'a defect' });
  });
});
