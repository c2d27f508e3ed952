import { create, toBinary } from '@bufbuild/protobuf';
import {
  CommandService,
  IssueCommandRequestSchema,
  IssueCommandStreamRequestSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { countIssued } from './light-issue.ts';
import type { Subject } from './subject.ts';

/** How single commands are issued: over one stream, as a service that issues all day does, or by a call each. */
export type Way = 'stream' | 'calls';

/** Issues commands that were made before, and waits for no answer before the next. */
export interface SingleIssuer extends Disposable {
  /** Sends the i-th command. */
  issue(i: number): void;
  /** Resolves when every command that was sent is issued. @throws Error when one was not. */
  allIssued(): Promise<void>;
}

/** Pings, one executor after the other. Made beforehand: nothing but the platform is to be measured. */
export function singleIssuer(
  subject: Subject,
  way: Way,
  executorOf: (i: number) => string,
  count: number,
): SingleIssuer {
  const pings = Array.from({ length: count }, (_, i) => ping(executorOf(i), i));
  return way === 'stream' ? overStream(subject, pings) : byCalls(subject, pings);
}

function byCalls(subject: Subject, pings: readonly Ping[]): SingleIssuer {
  const connection = subject.lightConnection();
  const path = pathOf(CommandService.method.issueCommand);
  const requests = pings.map((one) => toBinary(IssueCommandRequestSchema, create(IssueCommandRequestSchema, one)));
  let answers: Promise<unknown>[] = [];
  return {
    issue: (i) => answers.push(connection.call(path, requests[i] ?? new Uint8Array())),
    async allIssued() {
      await Promise.all(answers);
      answers = [];
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

function overStream(subject: Subject, pings: readonly Ping[]): SingleIssuer {
  const requests = pings.map((one) =>
    toBinary(
      IssueCommandStreamRequestSchema,
      create(IssueCommandStreamRequestSchema, { requests: [one], brief: true }),
    ),
  );
  let missing = 0;
  let settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  let broken: Error | undefined;
  const fail = (error: Error): void => {
    broken ??= error;
    settle?.reject(broken);
  };
  const link = subject.issueStream({
    onMessage: (answer) => {
      missing -= 1;
      if (countIssued(answer) !== 1) fail(new Error('a command was refused; the log of the service says why'));
      else if (missing === 0) settle?.resolve();
    },
    onEnd: () => fail(new Error('the stream has ended; the log of the service says why')),
  });
  return {
    issue: (i) => {
      missing += 1;
      link.send(requests[i] ?? new Uint8Array());
    },
    allIssued: () =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        if (broken !== undefined) reject(broken);
        else if (missing === 0) resolve();
      }),
    [Symbol.dispose]: () => link.close(),
  };
}

type Ping = ReturnType<typeof ping>;

function ping(executor: string, i: number) {
  return { executor, kind: { case: 'ping' as const, value: { payload: String(i) } } };
}
