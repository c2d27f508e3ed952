import { NO_COUNTS, type Source } from '../../services/market/domain/source.ts';

/** A replay that runs. */
export function sampleSource(facts: Partial<Source> = {}): Source {
  return {
    id: 'a',
    accountId: 'main',
    symbol: 'X',
    kind: { kind: 'replay', dataset: 'days', speed: 60 },
    state: 'RUNNING',
    reason: '',
    createMs: 0,
    position: { sequence: 0, index: 0 },
    counts: NO_COUNTS,
    stopRequested: false,
    ownerReplica: 'market-1',
    ownerUrl: undefined,
    leaseEpoch: 1,
    leased: true,
    ...facts,
  };
}
