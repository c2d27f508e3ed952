import type { Executor } from '../../services/command/domain/executor.ts';
import { SAMPLE_EXECUTOR_ID, SAMPLE_NOW_MS } from './sample-commands.ts';

/** An executor as it is right after it was created, with `overrides`. */
export function sampleExecutor(overrides: Partial<Executor> = {}): Executor {
  return {
    id: SAMPLE_EXECUTOR_ID,
    accountId: 'main',
    name: 'vps-1',
    labels: {},
    createMs: SAMPLE_NOW_MS,
    disableMs: null,
    streamEpoch: 0,
    link: null,
    ownerReplica: null,
    ownerSeenMs: null,
    connectMs: null,
    disconnectMs: null,
    disconnectReason: null,
    journalId: null,
    host: null,
    agentVersion: null,
    contractDigest: null,
    kinds: null,
    inFlightMax: null,
    takeovers: 0,
    takeoverMs: null,
    roundTripMs: null,
    clockOffsetMs: null,
    online: false,
    ...overrides,
  };
}
