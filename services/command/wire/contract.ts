import {
  ContractVerdict,
  ExecutorLinkService,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { contractDigest } from '../../platform/grpc/contract-digest.ts';
import { judgeContract } from '../domain/contract-verdict.ts';
import supported from '../link/supported-contracts.json' with { type: 'json' };

/** Digest of the wire format that this platform speaks to agents. */
export const PLATFORM_DIGEST = contractDigest(ExecutorLinkService.file);

/** What the platform makes of an agent's digest, in the words of the wire. `untilMs`: the end of support, or null. */
export function contractVerdictOf(
  digest: string,
  nowMs: number,
): { readonly verdict: ContractVerdict; readonly untilMs: number | null } {
  const { verdict, untilMs } = judgeContract(digest, { ownDigest: PLATFORM_DIGEST, supported }, nowMs);
  return { verdict: ContractVerdict[verdict], untilMs };
}

/** Versions of the agent that this platform serves, its own among them. */
export function servedVersions(ownVersion: string, nowMs: number): string[] {
  const served = supported.filter(({ digest }) => contractVerdictOf(digest, nowMs).verdict !== ContractVerdict.ENDED);
  return [...new Set([...served.map(({ version }) => version), ownVersion])];
}
