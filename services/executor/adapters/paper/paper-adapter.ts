import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { CommandResultSchema } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import type {
  Adapter,
  AdapterCommand,
  AdapterContext,
  CommandBody,
  CommandCase,
  ExecutionContext,
  Outcome,
  Recovery,
  StatusInit,
} from '../adapter.ts';
import { applyChange, emptyAccount, equity, isPaused, OWN, type PaperAccount } from './account.ts';
import { AccountStore } from './account-store.ts';
import type { Effect, EffectContext } from './effect.ts';
import { cancelOrders, closePosition, openPosition, restingOrders } from './positions.ts';
import { setPaused, startSession, startStrategy, stopAll, stopSession, stopStrategy } from './sessions.ts';
import { venueLatency } from './venue-latency.ts';

/** Settings of the paper venue. */
export interface PaperOptions {
  /** Balance of the account in its quote asset, decimal, when it is new. Default 10000. */
  readonly initialBalance?: string;
  /** Highest leverage that it grants, decimal. Default 20. */
  readonly maxLeverage?: string;
  /** How long the venue takes over each command, milliseconds. Default 0. */
  readonly latencyMs?: number;
}

/** Every kind of the wire format. */
const ALL_KINDS: readonly CommandCase[] = [
  'startStrategy',
  'stopStrategy',
  'pause',
  'resume',
  'stopAll',
  'getStatus',
  'startSession',
  'stopSession',
  'openPosition',
  'closePosition',
  'cancelOrders',
  'ping',
];

const DEFAULTS = { initialBalance: '10000', maxLeverage: '20', latencyMs: 0 } as const;

/**
 * A venue on paper: every kind, an account that survives restarts, fills without fee at the command's reference price or,
 * without one, at the last price seen of the symbol. No price is ever invented. Each effect is recorded together with its
 * command's tag, so that `recover` is exact.
 */
export function createPaperAdapter(options: PaperOptions = {}): Adapter {
  return new PaperAdapter({ ...DEFAULTS, ...options });
}

class PaperAdapter implements Adapter {
  readonly name = 'paper';
  readonly kinds = ALL_KINDS;
  readonly #options: Required<PaperOptions>;
  #account: PaperAccount = emptyAccount();
  #store: AccountStore | undefined;

  constructor(options: Required<PaperOptions>) {
    this.#options = options;
  }

  async open({ directory }: AdapterContext): Promise<void> {
    this.#store = new AccountStore(directory);
    this.#account = this.#store.load();
    if (this.#account.ledger.has(OWN)) return;
    const change = { collection: 'ledger', key: OWN, value: this.#options.initialBalance } as const;
    applyChange(this.#account, change);
    await this.#store.initialize([change]);
  }

  close(): void {
    this.#store?.close();
  }

  async execute(command: AdapterCommand, context: ExecutionContext): Promise<Outcome> {
    if (this.#options.latencyMs > 0) await venueLatency(this.#options.latencyMs, context);
    const { body } = command;
    if (body.case === 'ping') {
      return { status: 'succeeded', result: { summary: 'pong', payload: body.value.payload } };
    }
    if (body.case === 'getStatus') {
      return { status: 'succeeded', result: { summary: 'status of the paper account', status: this.status() } };
    }
    const { tag } = context;
    const earlier = this.#effectOf(tag);
    if (earlier !== undefined) return earlier;
    const nowMs = context.nowMs();
    const effect = actOn(body, { account: this.#account, tag, nowMs, maxLeverage: this.#options.maxLeverage });
    if ('refusal' in effect) return effect.refusal;
    const result = create(CommandResultSchema, effect.result);
    for (const change of effect.changes) applyChange(this.#account, change);
    await this.#opened.commit(tag, toBinary(CommandResultSchema, result), effect.changes);
    return { status: 'succeeded', result };
  }

  recover(_command: AdapterCommand, { tag }: { readonly tag: string }): Recovery {
    return this.#effectOf(tag) ?? 'not_executed';
  }

  status(): StatusInit {
    const account = this.#account;
    const positions = [...account.position.values()];
    return {
      sessions: [...account.session.values()].map(({ sessionId, mode, paused, instances }) => ({
        sessionId,
        mode,
        paused,
        instances: instances.map((instance) => ({ ...instance, strategyRevision: BigInt(instance.strategyRevision) })),
      })),
      positions: positions.map(({ sessionId, strategyId, symbol, side, quantity, entryPrice }) => ({
        sessionId,
        strategyId,
        symbol,
        side,
        quantity,
        entryPrice,
      })),
      openOrders: positions.reduce((sum, position) => sum + restingOrders(position), 0),
      equity: equity(account).toString(),
      paused: isPaused(account),
    };
  }

  priceOf(symbol: string, referencePrice: string): string | undefined {
    return referencePrice === '' ? this.#account.price.get(symbol) : referencePrice;
  }

  get #opened(): AccountStore {
    if (this.#store === undefined) throw new Error('the paper adapter is used before it was opened');
    return this.#store;
  }

  #effectOf(tag: string): Outcome | undefined {
    const result = this.#opened.effectOf(tag);
    return result === undefined ? undefined : { status: 'succeeded', result: fromBinary(CommandResultSchema, result) };
  }
}

/** What the command does to the account. */
function actOn(body: Exclude<CommandBody, { case: 'ping' | 'getStatus' }>, context: EffectContext): Effect {
  switch (body.case) {
    case 'startSession':
      return startSession(context, body.value);
    case 'stopSession':
      return stopSession(context, body.value);
    case 'stopAll':
      return stopAll(context, body.value);
    case 'pause':
      return setPaused(context, body.value, true);
    case 'resume':
      return setPaused(context, body.value, false);
    case 'startStrategy':
      return startStrategy(context, body.value);
    case 'stopStrategy':
      return stopStrategy(context, body.value);
    case 'openPosition':
      return openPosition(context, body.value);
    case 'closePosition':
      return closePosition(context, body.value);
    case 'cancelOrders':
      return cancelOrders(context, body.value);
    default:
      return neverKind(body);
  }
}

function neverKind(body: never): never {
  throw new Error(`the paper adapter does not know ${JSON.stringify(body)}`);
}
