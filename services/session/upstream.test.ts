import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  CommandService,
  IssueCommandsResponse_OutcomeSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { systemClock } from '../platform/clock.ts';
import { Secret } from '../platform/config.ts';
import { createGrpcServer } from '../platform/grpc/server.ts';
import { grpcServerLimits } from '../platform/grpc/server-limits.ts';
import { createLogger } from '../platform/logger.ts';
import { Upstream } from './upstream.ts';

test('a command service of a release without streams is called', async () => {
  await using server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    logger: createLogger('test', 'silent'),
    limits: grpcServerLimits(),
  });
  server.register(CommandService, {
    issueCommands: ({ requests }) => ({
      outcomes: requests.map(({ requestId }) =>
        create(IssueCommandsResponse_OutcomeSchema, {
          outcome: { case: 'issued', value: { command: { requestId } } },
        }),
      ),
    }),
  });
  const url = `http://127.0.0.1:${await server.start()}`;
  await using upstream = new Upstream(
    { command: [url], strategy: [url], evaluator: [url], backtest: [] },
    new Secret('internal-token-of-the-test'),
    systemClock,
  );
  for (const requestId of ['one', 'two']) {
    const [outcome] = await upstream.issue('main', [{ executor: 'x', requestId, kind: { case: 'ping', value: {} } }]);
    expect(outcome?.outcome).toMatchObject({ case: 'issued', value: { command: { requestId } } });
  }
});
