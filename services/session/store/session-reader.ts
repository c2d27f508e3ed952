import type { Pool } from 'pg';
import { isVisible } from '../domain/draft.ts';
import type {
  ActivationRecord,
  ActivationRequest,
  CommandRecord,
  PositionRecord,
  SessionRecord,
  SignalRecord,
} from '../domain/records.ts';
import type { ChangeEntry, ChangePage, Page, SessionReader, SessionView } from '../domain/repository.ts';
import {
  findActivationRequest,
  findSessionRequest,
  getSession,
  listPositions,
  listSessions,
  listSignals,
  readActivationsOf,
  readChanges,
  readCommandsToDo,
  readPositions,
  readSession,
  readSignals,
  readStrategyUses,
} from './read-statements.ts';
import { read } from './statement.ts';

interface ChangeRow {
  readonly version: number;
  readonly removedNumber: number;
  readonly number: number | null;
  readonly kind: 'SESSION' | 'SIGNAL' | 'POSITION';
  readonly subjectId: string;
}

/** What is stored, as it is now. */
export function sessionReader(pool: Pool): SessionReader {
  const views = async (sessions: readonly SessionRecord[]): Promise<SessionView[]> => {
    if (sessions.length === 0) return [];
    const activations = await read<ActivationRecord>(pool, readActivationsOf, [sessions.map(({ id }) => id)]);
    return sessions.map((session) => ({
      session,
      activations: activations.filter(({ sessionId }) => sessionId === session.id),
    }));
  };
  const one = async (sessions: readonly SessionRecord[]): Promise<SessionView | undefined> =>
    (await views(sessions))[0];
  return {
    async find(sessionId) {
      return one(await read<SessionRecord>(pool, readSession, [sessionId]));
    },
    async get(accountId, sessionId) {
      return one(await read<SessionRecord>(pool, getSession, [accountId, sessionId]));
    },
    async findRequest(accountId, requestId) {
      return one(await read<SessionRecord>(pool, findSessionRequest, [accountId, requestId]));
    },
    async findActivation(accountId, requestId) {
      return (await read<ActivationRequest>(pool, findActivationRequest, [accountId, requestId]))[0];
    },
    async list(accountId, { states, executorId }, { below, max }) {
      const values = [accountId, states.length === 0 ? null : states, executorId ?? null, below ?? null, max];
      return views(await read<SessionRecord>(pool, listSessions, values));
    },
    signals(accountId, sessionId, page) {
      return read<SignalRecord>(pool, listSignals, [accountId, sessionId ?? null, ...placeOf(page), page.max]);
    },
    async positions(accountId, { sessionId, openOnly }, page) {
      // Open ones first; a place in the list says which of both it is in.
      const [part, below] = partOf(page.below);
      const at = (place: string | undefined, open: boolean, max: number) =>
        read<PositionRecord>(pool, listPositions, [
          accountId,
          sessionId ?? null,
          ...placeOf({ below: place, max }),
          max,
          open,
        ]);
      const open = part === 'closed' ? [] : await at(below, true, page.max);
      if (openOnly || open.length === page.max) return open;
      const rest = page.max - open.length;
      return [...open, ...(await at(part === 'closed' ? below : undefined, false, rest))];
    },
    changes(sessionId, afterNumber, max) {
      return readChangePage(pool, views, sessionId, afterNumber, max);
    },
    uses(accountId, strategyId) {
      return read<ActivationRecord>(pool, readStrategyUses, [accountId, strategyId]);
    },
    commands(sessionId) {
      return read<CommandRecord>(pool, readCommandsToDo, [sessionId]);
    },
  };
}

function placeOf({ below }: Page): [number | null, string | null] {
  if (below === undefined) return [null, null];
  const slash = below.indexOf('/');
  return [Number(below.slice(0, slash)), below.slice(slash + 1)];
}

function partOf(below: string | undefined): ['open' | 'closed', string | undefined] {
  if (below === undefined) return ['open', undefined];
  return below.startsWith('closed:')
    ? ['closed', below.slice('closed:'.length)]
    : ['open', below.slice('open:'.length)];
}

async function readChangePage(
  pool: Pool,
  views: (sessions: readonly SessionRecord[]) => Promise<SessionView[]>,
  sessionId: string,
  afterNumber: number,
  max: number,
): Promise<ChangePage> {
  const all = await read<ChangeRow>(pool, readChanges, [sessionId, afterNumber, max]);
  const rows = all.filter((row): row is ChangeRow & { number: number } => row.number !== null);
  // Each thing once, where it changed last: it is told as it is now.
  const last = new Map(rows.map(({ kind, subjectId, number }) => [`${kind} ${subjectId}`, number]));
  const throughNumber = rows.at(-1)?.number ?? afterNumber;
  const ids = (kind: ChangeRow['kind']) => [
    ...new Set(rows.filter((row) => row.kind === kind).map(({ subjectId }) => subjectId)),
  ];
  const signals = await read<SignalRecord>(pool, readSignals, [sessionId, ids('SIGNAL')]);
  const positions = await read<PositionRecord>(pool, readPositions, [sessionId, ids('POSITION')]);
  const sessions =
    ids('SESSION').length === 0 ? [] : await views(await read<SessionRecord>(pool, readSession, [sessionId]));
  const entries = rows.flatMap(({ number, kind, subjectId }): ChangeEntry[] => {
    if (last.get(`${kind} ${subjectId}`) !== number) return [];
    if (kind === 'SESSION') return sessions.map((view) => ({ number, kind, view }));
    if (kind === 'SIGNAL') {
      return signals.filter(({ id }) => id === subjectId).map((signal) => ({ number, kind, signal }));
    }
    return positions
      .filter((position) => position.id === subjectId && (isVisible(position) || position.state === 'NOT_OPENED'))
      .map((position) => ({ number, kind, position }));
  });
  const { version = afterNumber, removedNumber = 0 } = all[0] ?? {};
  return { entries, throughNumber, more: throughNumber < version, removedNumber };
}
