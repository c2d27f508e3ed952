import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  type Pause,
  type Resume,
  SessionMode,
  type StartSession,
  type StartStrategy,
  type StopAll,
  type StopSession,
  type StopStrategy,
} from '../../../../proto/gen/strategos/command/v1/kind_pb.js';
import { type AccountChange, OWN, type PaperPosition, type PaperSession, positionsWithin } from './account.ts';
import { closeAll, closePositions } from './closing.ts';
import { counted, done, type Effect, type EffectContext, positive, isEffect, refuse } from './effect.ts';

export function noSession(sessionId: string): Effect {
  return refuse('no_session', `no session "${sessionId}" is open on this executor: start it first`, 'TARGET_UNKNOWN');
}

export function startSession({ account }: EffectContext, body: StartSession): Effect {
  const { sessionId, mode, symbols } = body;
  if (sessionId === '') return refuse('invalid_field', 'session_id is empty', 'INVALID_FIELD');
  if (mode === SessionMode.LIVE) {
    return refuse(
      'paper_only',
      'this executor trades on paper and cannot run a live session: use a live adapter, or mode paper',
    );
  }
  const open = account.session.get(sessionId);
  if (open !== undefined) {
    if (open.mode === mode) return done(`session ${sessionId} was open already`, []);
    return refuse('session_open', `session "${sessionId}" is open in another mode: stop it first`);
  }
  const changes: AccountChange[] = [
    {
      collection: 'session',
      key: sessionId,
      value: {
        sessionId,
        mode,
        paused: false,
        symbols: [...symbols],
        instances: [],
        disconnectPolicy: body.disconnectPolicy,
        ...(body.disconnectAfter === undefined ? {} : { disconnectAfterMs: durationMs(body.disconnectAfter) }),
      },
    },
  ];
  if (body.initialBalance !== '') {
    const balance = positive('initial_balance', body.initialBalance);
    if (isEffect(balance)) return balance;
    // Positions that an earlier session of that name left open still bind its money.
    if (!account.ledger.has(sessionId)) {
      changes.push(
        { collection: 'ledger', key: sessionId, value: balance.toString() },
        {
          collection: 'performance',
          key: sessionId,
          value: { peak: balance.toString(), maxDrawdownPct: '0', toldPct: 0 },
        },
      );
    }
  }
  return done(`session ${sessionId} is open`, changes);
}

export function stopSession(context: EffectContext, body: StopSession): Effect {
  const { account } = context;
  const was = account.session.has(body.sessionId) ? 'is closed' : 'was not open';
  const positions = body.closePositions ? positionsWithin(account, { sessionId: body.sessionId }) : [];
  return endSessions(context, [body.sessionId], positions, `session ${body.sessionId} ${was}`);
}

export function stopAll(context: EffectContext, body: StopAll): Effect {
  const { account } = context;
  const sessions = [...account.session.keys()];
  const positions = body.closePositions ? [...account.position.values()] : [];
  return endSessions(context, sessions, positions, `${counted(sessions.length, 'session')} closed`);
}

function endSessions(
  context: EffectContext,
  sessionIds: readonly string[],
  positions: readonly PaperPosition[],
  summary: string,
): Effect {
  const { fills, changes } = closePositions(context, closeAll(context, positions), new Set(sessionIds));
  for (const key of sessionIds) changes.push({ collection: 'session', key, value: undefined });
  return done(`${summary}${positions.length > 0 ? `, ${counted(positions.length, 'position')} closed` : ''}`, changes, {
    fills,
  });
}

export function setPaused({ account }: EffectContext, body: Pause | Resume, paused: boolean): Effect {
  const word = paused ? 'paused' : 'resumed';
  if (body.sessionId === '') {
    return done(`executor ${word}`, [{ collection: 'account', key: OWN, value: { paused } }]);
  }
  const session = account.session.get(body.sessionId);
  if (session === undefined) return noSession(body.sessionId);
  return done(`session ${body.sessionId} ${word}`, [sessionChange({ ...session, paused })]);
}

export function startStrategy({ account }: EffectContext, body: StartStrategy): Effect {
  const session = account.session.get(body.sessionId);
  if (session === undefined) return noSession(body.sessionId);
  if (body.strategyId === '' || body.symbol === '') {
    return refuse('invalid_field', 'strategy_id and symbol must be set', 'INVALID_FIELD');
  }
  if (session.symbols.length > 0 && !session.symbols.includes(body.symbol)) {
    return refuse(
      'symbol',
      `session "${body.sessionId}" trades ${session.symbols.join(', ')}, and not "${body.symbol}"`,
    );
  }
  const others = session.instances.filter((instance) => !isInstance(instance, body));
  const { strategyId, symbol } = body;
  const started = { strategyId, symbol, strategyRevision: body.strategyRevision.toString() };
  return done(`strategy ${strategyId} runs on ${symbol}`, [
    sessionChange({ ...session, instances: [...others, started] }),
  ]);
}

export function stopStrategy(context: EffectContext, body: StopStrategy): Effect {
  const { account } = context;
  const session = account.session.get(body.sessionId);
  const runs = session?.instances.some((instance) => isInstance(instance, body)) ?? false;
  const positions = body.closePositions ? positionsWithin(account, body) : [];
  const { fills, changes } = closePositions(context, closeAll(context, positions));
  if (session !== undefined && runs) {
    const instances = session.instances.filter((instance) => !isInstance(instance, body));
    changes.push(sessionChange({ ...session, instances }));
  }
  const state = runs ? 'stopped' : 'was not running';
  return done(`strategy ${body.strategyId} on ${body.symbol} ${state}`, changes, { fills });
}

/** Whether `instance` is the one that the command names. */
export function isInstance(
  instance: { readonly strategyId: string; readonly symbol: string },
  named: { readonly strategyId: string; readonly symbol: string },
): boolean {
  return instance.strategyId === named.strategyId && instance.symbol === named.symbol;
}

function sessionChange(session: PaperSession): AccountChange {
  return { collection: 'session', key: session.sessionId, value: session };
}
