import { describe, expect, test } from 'vitest';
import { type ContractRules, servedKinds } from './contract.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const RULES: ContractRules = {
  policy: 'refuse',
  ownDigest: 'own',
  ownVersion: '1.2.0',
  supported: [
    { version: '1.0.0', digest: 'old', supportedUntil: '2026-05-31' },
    { version: '1.1.0', digest: 'new', supportedUntil: '2026-06-01' },
  ],
};
const KINDS = ['open_position', 'get_status', 'ping'];

function served(contractDigest: string, policy: ContractRules['policy'] = 'refuse'): readonly string[] {
  return servedKinds(
    { executorName: 'vps-1', agentVersion: '0.9.0', contractDigest },
    KINDS,
    { ...RULES, policy },
    NOW_MS,
  );
}

const rules = (...supported: ContractRules['supported']): ContractRules => ({ ...RULES, supported });

describe('an agent is', () => {
  test('served with all that it offers, when its wire format is this build’s or a supported release’s', () => {
    expect(served('own')).toEqual(KINDS);
    expect(served('new')).toEqual(KINDS);
  });

  test('served when a later release that is supported has the wire format of one whose support has ended', () => {
    const ended = { version: '1.0.0', digest: 'same', supportedUntil: '2026-05-31' };
    const later = { version: '1.1.0', digest: 'same', supportedUntil: '2026-06-01' };
    const build = { executorName: 'vps-1', agentVersion: '1.1.0', contractDigest: 'same' };
    for (const order of [rules(ended, later), rules(later, ended)])
      expect(servedKinds(build, KINDS, order, NOW_MS)).toEqual(KINDS);
  });

  test('refused with what to install, when nobody knows its wire format', () => {
    const install = 'install an agent of version 1.1.0 or 1.2.0';
    expect(() => served('stranger-than-all-others')).toThrow(
      `the agent of "vps-1" (version 0.9.0) speaks a wire format that this platform does not know (digest stranger-tha…); ${install}`,
    );
    expect(() => served('')).toThrow(`speaks a wire format that it does not name; ${install}`);
    expect(() => served('old')).toThrow(`was supported until 2026-05-31; ${install}`);
    try {
      served('stranger');
    } catch (thrown) {
      const metadata = { agent_version: '0.9.0', contract_digest: 'stranger', supported: '1.1.0,1.2.0' };
      expect(thrown).toMatchObject({ code: 'PermissionDenied', reason: 'CONTRACT_UNSUPPORTED', metadata });
    }
  });

  test('served with what only reads, or with everything, where policy says so', () => {
    expect(served('stranger', 'read_only')).toEqual(['get_status', 'ping']);
    expect(served('stranger', 'accept')).toEqual(KINDS);
    expect(served('new', 'read_only')).toEqual(KINDS);
  });
});
