import type { ContractPolicy, ContractRules } from '../domain/contract.ts';
// Made by `npm run contracts:release`: the releases whose agents this platform is held against.
import supported from './supported-contracts.json' with { type: 'json' };

/** What this build knows of the wire formats in the field. */
export function contractRules(policy: ContractPolicy, ownVersion: string, ownDigest: string): ContractRules {
  return { policy, ownVersion, ownDigest, supported };
}
