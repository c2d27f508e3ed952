import type { ConnectError } from '@connectrpc/connect';
import { useEffect, useState } from 'react';
import type { Position, Session, Signal } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { WatchSessionResponse } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Batch } from './batch.ts';
import { NO_DEADLINE, sessions } from './services.ts';
import { watch } from './watch.ts';

/** A session with everything that came of it, as it is now. */
export interface SessionView {
  readonly session: Session | undefined;
  readonly signals: ReadonlyMap<string, Signal>;
  readonly positions: ReadonlyMap<string, Position>;
  readonly error: ConnectError | undefined;
}

const EMPTY: SessionView = { session: undefined, signals: new Map(), positions: new Map(), error: undefined };

/** Follows a session by its stream: its present state first, then each change once, over restarts of the gateway too. */
export function useSession(id: string): SessionView {
  const [view, setView] = useState(EMPTY);
  useEffect(() => {
    let cursor = '';
    setView(EMPTY);
    const batch = new Batch<WatchSessionResponse['change']>((changes) =>
      setView((before) => withChanges(before, changes)),
    );
    const stop = watch({
      open: (signal) => sessions.watchSession({ id, cursor }, { signal, ...NO_DEADLINE }),
      onMessage: (message) => {
        cursor = message.cursor;
        batch.add(message.change);
      },
      onTooOld: () => {
        cursor = '';
        setView(EMPTY);
      },
      onRefused: (error) => setView((before) => ({ ...before, error })),
    });
    return () => {
      stop();
      batch.drop();
    };
  }, [id]);
  return view;
}

function withChanges(view: SessionView, changes: readonly WatchSessionResponse['change'][]): SessionView {
  let { session } = view;
  const signals = new Map(view.signals);
  const positions = new Map(view.positions);
  for (const change of changes) {
    switch (change.case) {
      case 'session':
        session = change.value;
        break;
      case 'signal':
        signals.set(change.value.id, change.value);
        break;
      case 'position':
        positions.set(change.value.id, change.value);
        break;
      case undefined:
        break;
      default:
        change satisfies never;
    }
  }
  return { session, signals, positions, error: undefined };
}
