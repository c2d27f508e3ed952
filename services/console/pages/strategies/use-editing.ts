import { createQueryOptions, useTransport } from '@connectrpc/connect-query';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import {
  StrategyService,
  type ValidateStrategyResponse,
} from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { type Draft, textOf } from './draft.ts';
import { type Unread, unsavedOf, useUnsaved } from './unsaved.ts';

/** A draft under edit, with the service's verdict on it. */
export interface Editing {
  readonly draft: Draft;
  readonly setDraft: (draft: Draft) => void;
  /** A text that was typed as JSON and is none: the draft is still what it was before. */
  readonly unread: Unread | undefined;
  readonly setUnread: (unread: Unread) => void;
  /** Back to what is stored. */
  readonly discard: () => void;
  /** Another number when the draft was replaced by what is stored: what shows it as text begins anew. */
  readonly edition: number;
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

/** Edits begin anew when another revision is stored by this page, and go on otherwise, also after a look at other pages. */
export function useEditing(id: string, stored: Draft, revision: bigint): Editing {
  const [base, setBase] = useState(() => unsavedOf(id)?.base ?? { revision, text: textOf(stored), draft: stored });
  const [draft, setDraft] = useState(() => unsavedOf(id)?.draft ?? stored);
  const [unread, setUnread] = useState(() => unsavedOf(id)?.unread);
  const [edition, setEdition] = useState(0);
  const text = textOf(draft);
  // What was saved comes back as stored: no change is left. An edit of somebody else's does not overwrite this one.
  if (base.revision !== revision && unread === undefined && (text === base.text || text === textOf(stored))) {
    if (text !== textOf(stored)) setEdition(edition + 1);
    setBase({ revision, text: textOf(stored), draft: stored });
    setDraft(stored);
  }
  const changed = text !== base.text || unread !== undefined;
  useUnsaved(id, { base, draft, unread }, changed);
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
    setDraft: (next) => {
      setUnread(undefined);
      setDraft(next);
    },
    unread,
    setUnread,
    discard: () => {
      setUnread(undefined);
      setBase({ revision, text: textOf(stored), draft: stored });
      setDraft(stored);
      setEdition(edition + 1);
    },
    edition,
    changed,
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
