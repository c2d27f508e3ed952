import type { Refusal } from '../../services/command/domain/refusal.ts';
import { SAMPLE_NOW_MS } from './sample-commands.ts';

/** The refusal of an agent whose wire format is not supported, with `overrides`. */
export function sampleRefusal(overrides: Partial<Refusal> = {}): Refusal {
  return {
    atMs: SAMPLE_NOW_MS,
    sinceMs: SAMPLE_NOW_MS,
    reason: 'CONTRACT_UNSUPPORTED',
    message: 'the wire format is not known; install an agent of version 1.0.0',
    keyId: 'k1',
    isProven: true,
    link: 'STREAM',
    agent: { version: '0.9.0', contractDigest: 'f00d', host: 'vps' },
    ...overrides,
  };
}
