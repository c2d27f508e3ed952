import { createQueryOptions, useTransport } from '@connectrpc/connect-query';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import {
  StrategyService,
  type ValidateStrategyResponse,
} from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { type Draft, textOf } from './draft.ts';

/** A draft under edit, with the service's verdict on it. */
export interface Editing {
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
  /** Differs from what is stored. */
  readonly changed: boolean;
  /** The stored revision that the edit began from. */
  readonly revision: bigint;
  /** On the draft as it is now; undefined while it is judged. */
  readonly verdict: ValidateStrategyResponse | undefined;
  readonly error: unknown;
}

/** Time after the last keystroke at which the draft is judged. */
const SETTLED_MS = 250;

/** Edits begin anew when another revision is stored by this page, and go on otherwise. */
export function useEditing(stored: Draft, revision: bigint): Editing {
  const [base, setBase] = useState({ revision, text: textOf(stored), draft: stored });
  const [draft, setDraft] = useState(stored);
  const text = textOf(draft);
  // What was saved comes back as stored: no change is left. An edit of somebody else's does not overwrite this one.
  if (base.revision !== revision && (text === base.text || text === textOf(stored))) {
    setBase({ revision, text: textOf(stored), draft: stored });
    setDraft(stored);
  }
  const settled = useSettled(text, SETTLED_MS);
  const transport = useTransport();
  const judged = useQuery({
    ...createQueryOptions(
      StrategyService.method.validateStrategy,
      { source: { case: 'json', value: settled } },
      { transport },
    ),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
  return {
    draft,
    setDraft,
    changed: text !== base.text,
    revision: base.revision,
    verdict: judged.data,
    error: judged.error,
  };
}

function useSettled<T>(value: T, forMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), forMs);
    return () => clearTimeout(timer);
  }, [value, forMs]);
  return settled;
}
