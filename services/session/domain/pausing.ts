import { v7 as uuid } from 'uuid';
import type { Draft } from './draft.ts';

/**
 * Holds new entries of the session back, or lets them through again; exits go on. Its evaluators and its executor are told.
 * False when the session's state does not allow it; a repeat is harmless.
 */
export function setPaused(draft: Draft, paused: boolean, author: string): boolean {
  const { session } = draft;
  const to = paused ? 'PAUSED' : 'ACTIVE';
  if (session.state === to) return true;
  if (session.state !== (paused ? 'ACTIVE' : 'PAUSED')) return false;
  draft.step(to, paused ? `paused by ${author}` : '');
  for (const { instanceId, wanted } of draft.activations) {
    if (wanted === 'RUN' || wanted === 'PAUSE') draft.setActivation(instanceId, { wanted: paused ? 'PAUSE' : 'RUN' });
  }
  if (session.mode === 'BACKTEST') return true;
  const type = paused ? 'PAUSE' : 'RESUME';
  draft.want({ requestId: `${type.toLowerCase()}:${uuid()}`, purpose: type, subjectId: session.id, wish: { type } });
  return true;
}
