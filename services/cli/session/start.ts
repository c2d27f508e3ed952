import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { v7 as uuid } from 'uuid';
import { DisconnectPolicy, SessionMode } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { PinPolicy } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { SessionSchema } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { StartSessionRequestSchema } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import type { Cli } from '../cli.ts';
import { parseDurationMs } from '../terminal/duration.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { showSession } from './view.ts';

const MODES: Readonly<Record<string, SessionMode>> = {
  paper: SessionMode.PAPER,
  live: SessionMode.LIVE,
  backtest: SessionMode.BACKTEST,
};
const POLICIES: Readonly<Record<string, DisconnectPolicy>> = {
  hold: DisconnectPolicy.HOLD,
  'reduce-only': DisconnectPolicy.REDUCE_ONLY,
  'cancel-orders': DisconnectPolicy.CANCEL_ORDERS,
  flatten: DisconnectPolicy.FLATTEN,
};
const WAIT_MS = 20_000;
/** How much longer than the wait the call itself may take. */
const GRACE_MS = 10_000;

const EXAMPLES = `
--strategy is followed by the symbols that it trades; several strategies have theirs in turn:
  $ strategos session start --mode paper --executor vps-1 --balance 10000 --strategy my_pump --symbol BTC_USDT
  $ strategos session start --mode paper --label region=eu --balance 500 --disconnect flatten:60s \\
      --strategy my_pump --symbol BTC_USDT --symbol ETH_USDT --strategy other --symbol BTC_USDT
  $ strategos session start --mode backtest --dataset january --balance 10000 --strategy my_pump --symbol BTC_USDT`;

interface StartOptions {
  readonly mode: string;
  readonly executor?: string;
  readonly label: readonly string[];
  readonly balance?: string;
  readonly pin?: boolean;
  readonly disconnect?: string;
  readonly allowPartial?: boolean;
  readonly dataset?: string;
  readonly wait?: string;
  readonly requestId?: string;
}

interface Selection {
  readonly strategy: string;
  readonly symbols: string[];
}

/** `session start`. */
export function registerStart(parent: Command, cli: Cli): void {
  const selections: Selection[] = [];
  parent
    .command('start')
    .description('start a session; what cannot be activated is said, and then nothing runs')
    .requiredOption('--mode <mode>', 'paper, live or backtest')
    .option('--executor <executor>', 'name or id')
    .option('--label <key=value>', 'instead: a connected executor with all of these labels', collect, [])
    .option('--strategy <strategy>', 'name or id; its symbols follow', (strategy) => {
      selections.push({ strategy, symbols: [] });
    })
    .option('--symbol <symbol>', 'traded by the strategy before it; may be given several times', (symbol) => {
      const last = selections.at(-1);
      if (last === undefined) throw usageError('--symbol belongs to a strategy; write --strategy NAME before it');
      last.symbols.push(symbol);
    })
    .option('--balance <amount>', 'initial balance in the quote asset')
    .option('--pin', 'keep the revision of now, whatever is edited')
    .option(
      '--disconnect <policy>',
      'hold, reduce-only, cancel-orders or flatten[:60s] when the platform or prices are lost',
    )
    .option('--allow-partial', 'go on with what can be activated')
    .option('--dataset <name>', 'for a back-test')
    .option('--wait <duration>', 'for the activations, at most 60s', '20s')
    .option('--request-id <id>', 'the same id and body give the same session, however often it is sent')
    .addHelpText('after', EXAMPLES)
    .action((options: StartOptions, command: Command) => {
      const request = startRequest(options, selections);
      const waitMs = options.wait === undefined ? WAIT_MS : parseDurationMs(options.wait);
      return cli.withClients(command, async ({ sessions, out }) => {
        const call = { timeoutMs: waitMs + GRACE_MS };
        const { session } = await repeatWhileUnavailable(() =>
          sessions.startSession({ ...request, wait: durationFromMs(waitMs) }, call),
        );
        if (session === undefined) throw new CliError(EXIT.failed, 'the platform answered without a session');
        out.document(protoJson(SessionSchema, session));
        showSession(out, session);
      });
    });
}

function startRequest(
  options: StartOptions,
  selections: readonly Selection[],
): MessageInitShape<typeof StartSessionRequestSchema> {
  const mode = MODES[options.mode.toLowerCase()];
  if (mode === undefined) throw usageError(`there is no mode "${options.mode}"; write paper, live or backtest`);
  if (selections.length === 0) throw usageError('a session needs at least one --strategy NAME --symbol SYMBOL');
  const bare = selections.find(({ symbols }) => symbols.length === 0);
  if (bare !== undefined) throw usageError(`strategy "${bare.strategy}" has no symbol; write --symbol SYMBOL after it`);
  return {
    mode,
    executor: options.executor ?? '',
    executorLabels: parseLabels(options.label),
    strategies: [...selections],
    pinPolicy: options.pin === true ? PinPolicy.PINNED : PinPolicy.FOLLOW_LATEST,
    ...parseDisconnect(options.disconnect),
    initialBalance: options.balance ?? '',
    allowPartial: options.allowPartial === true,
    dataset: options.dataset ?? '',
    // Made here when none is given, so that repeating a call that may have arrived does no harm.
    requestId: options.requestId ?? uuid(),
  };
}

/** "hold", "flatten", "flatten:90s". @throws CliError usage. */
export function parseDisconnect(
  text: string | undefined,
): Pick<MessageInitShape<typeof StartSessionRequestSchema>, 'disconnectPolicy' | 'disconnectAfter'> {
  if (text === undefined) return {};
  const [name = '', after] = text.split(':', 2);
  const disconnectPolicy = POLICIES[name.toLowerCase()];
  if (disconnectPolicy === undefined) {
    throw usageError(`there is no policy "${name}"; write ${Object.keys(POLICIES).join(', ')}, or flatten:60s`);
  }
  if (after === undefined) return { disconnectPolicy };
  if (disconnectPolicy !== DisconnectPolicy.FLATTEN) throw usageError(`only flatten takes a time, not ${name}`);
  return { disconnectPolicy, disconnectAfter: durationFromMs(parseDurationMs(after)) };
}

function parseLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf('=');
      if (at < 1) throw usageError(`--label must be key=value, not "${label}"`);
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
