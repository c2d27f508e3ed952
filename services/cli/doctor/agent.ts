import { durationMs } from '@bufbuild/protobuf/wkt';
import { ContractVerdict } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Executor, ExecutorState } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { clockFinding } from './clock.ts';
import { type Finding, ill, well } from './finding.ts';

/** What a connected agent said of itself in its last Hello: its clock and its wire format. */
export function agentFindings(executor: Executor, tookMs: number): Finding[] {
  const { name, state, clockOffset, contractVerdict, agentVersion } = executor;
  if (state !== ExecutorState.ONLINE) return [];
  const clocks =
    clockOffset === undefined ? [] : [clockFinding(`clock:${name}`, durationMs(clockOffset), tookMs, 'one way')];
  return [...clocks, contractFinding(`contract:${name}`, agentVersion, contractVerdict, tookMs)];
}

function contractFinding(step: string, version: string, verdict: ContractVerdict, tookMs: number): Finding {
  switch (verdict) {
    case ContractVerdict.CURRENT:
      return well(step, `version ${version} speaks the platform's own wire format`, tookMs);
    case ContractVerdict.SUPPORTED:
      return well(step, `version ${version} speaks the wire format of a supported release`, tookMs);
    default: {
      const words = {
        found: `version ${version} is unsupported: no supported release has its wire format`,
        meaning: 'both sides may misunderstand each other; it was let in because STRATEGOS_CONTRACT_POLICY allows it',
        next: 'install a supported version there; strategos contracts can-deploy lists the fleet',
      };
      return ill(step, 'fault', words, tookMs);
    }
  }
}
