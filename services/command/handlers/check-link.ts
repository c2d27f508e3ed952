import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  CheckLinkRequestSchema,
  CheckLinkResponseSchema,
  type ExecutorLinkService,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { executorState } from '../domain/executor.ts';
import { linkCallerOf } from '../link/link-caller.ts';
import { contractVerdictOf, PLATFORM_DIGEST, servedVersions } from '../wire/contract.ts';
import { checksOf } from '../wire/request-checks.ts';
import { timestampOf } from '../wire/time.ts';
import type { LinkHandlerDependencies } from './link-dependencies.ts';

/** Reads, and nothing else: whoever looks for a fault must not push out the agent that works. */
export function checkLink(deps: LinkHandlerDependencies): ServiceImpl<typeof ExecutorLinkService>['checkLink'] {
  return async function (request, context) {
    const nowMs = deps.clock.nowMs();
    const { executorId, executorName, accountId } = linkCallerOf(context);
    const checks = checksOf(CheckLinkRequestSchema, request);
    checks.text('contract_digest', request.contractDigest);
    checks.throwIfAny();
    const executor = await deps.directory.resolve(accountId, executorId);
    const { verdict, untilMs } = contractVerdictOf(request.contractDigest, nowMs);
    const supportedUntilTime = timestampOf(untilMs);
    return create(CheckLinkResponseSchema, {
      executorId,
      executorName,
      accountId,
      platformTime: timestampFromMs(nowMs),
      contractVerdict: verdict,
      ...(supportedUntilTime === undefined ? {} : { supportedUntilTime }),
      platformVersion: deps.version,
      contractDigest: PLATFORM_DIGEST,
      connected: executorState(executor) === 'ONLINE',
      streamEpoch: BigInt(executor.streamEpoch),
      host: executor.host ?? '',
      servedVersions: servedVersions(deps.version, nowMs),
    });
  };
}
