import type { JsonObject } from '@bufbuild/protobuf';
import { MarketService } from '../../proto/gen/strategos/market/v1/market_service_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { sampleId } from '../golden/sample-values.ts';
import type { ConsoleCall, ConsoleWatch, Refusal } from './console-call.ts';
import { COMMAND_STATES, CONSOLE_EXECUTOR, CONSOLE_EXECUTOR_ID, WATCHED } from './console-command-calls.ts';
import type { ConsolePage } from './console-page.ts';

/** States of the provider, by the names that both sides know them by. */
export const TRADING_STATES = {
  strategy: 'the account has a strategy of two revisions',
  changed: 'the account has a strategy that somebody else has just changed',
  failed: 'the account has a session that could not start',
  startable: 'the account has a strategy, and an executor that starts no sessions',
  halted: 'everything of the account was told to stop',
} as const;

/** What the pact speaks of; real ones have ids of their own. */
export const CONSOLE_STRATEGY = sampleId(500);
export const CONSOLE_SESSION = sampleId(600);

/** The strategy as a person has written it. */
export const CONSOLE_STRATEGY_FORM = {
  strategy_name: 'dip',
  description: 'buys what fell',
  s1_signal: { conditions: [{ id: 'signal-1', indicatorId: 'rsi_14', operator: '<', value: 30.5 }] },
  z1_entry: {
    conditions: [{ id: 'entry-1', indicatorId: 'rsi_14', operator: '>=', value: 31.5 }],
    positionSize: { type: 'percentage', value: 2.5 },
  },
  ze1_close: { conditions: [{ id: 'close-1', indicatorId: 'rsi_14', operator: '>', value: 70.5 }] },
  o1_cancel: { timeoutSeconds: 300, conditions: [] },
  emergency_exit: { conditions: [] },
  global_limits: { max_leverage: 1 },
} as const;

const STRATEGY: JsonObject = {
  id: CONSOLE_STRATEGY,
  revision: '2',
  definition: { strategyName: 'dip', description: 'buys what fell' },
  json: JSON.stringify(CONSOLE_STRATEGY_FORM),
  createTime: '2024-01-01T00:00:01Z',
  updateTime: '2024-01-01T00:00:02Z',
};
const SESSION: JsonObject = {
  id: CONSOLE_SESSION,
  mode: 'SESSION_MODE_PAPER',
  state: 'SESSION_STATE_FAILED',
  reason: 'nothing could be activated',
  executorName: CONSOLE_EXECUTOR,
  initialBalance: '10000',
  equity: '10000',
  activations: [
    {
      strategyId: CONSOLE_STRATEGY,
      strategyName: 'dip',
      symbol: 'BTC_USDT',
      state: 'ACTIVATION_STATE_FAILED',
      missing: ['the executor does not start sessions'],
    },
  ],
  createTime: '2024-01-01T00:00:01Z',
};
const NOT_STARTED: Refusal = {
  status: 400,
  code: 'failed_precondition',
  reason: 'ACTIVATION_FAILED',
  metadata: { session_id: CONSOLE_SESSION },
};
const HALT: JsonObject = {
  id: sampleId(700),
  author: 'founder',
  createTime: '2024-01-01T00:00:01Z',
  closePositions: true,
  acknowledgements: [
    {
      executorId: CONSOLE_EXECUTOR_ID,
      executorName: CONSOLE_EXECUTOR,
      commandId: sampleId(701),
    },
  ],
};
const OF_STRATEGY = `/strategies/${CONSOLE_STRATEGY}`;
const REVISION = 'describes itself otherwise';

async function revise(page: ConsolePage): Promise<void> {
  await page.fill('Description', REVISION);
  await page.press('Save as the next revision');
}

async function start(page: ConsolePage): Promise<void> {
  await page.press('Start a session');
  await page.shows('dip (revision 2)');
  await page.fill('Strategy', CONSOLE_STRATEGY);
  await page.fill('Symbols', 'BTC_USDT');
  await page.fill('Initial balance', '10000');
  await page.press('Start');
}

export const STRATEGY_CALLS: readonly ConsoleCall[] = [
  {
    description: 'the list of strategies is read',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.listStrategies,
    address: '/strategies',
    answer: { strategies: [STRATEGY] },
    shows: ['Strategies (1)', 'dip', 'buys what fell'],
  },
  {
    description: 'a strategy is opened',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.getStrategy,
    address: OF_STRATEGY,
    answer: { strategy: STRATEGY },
    shows: ['dip', 'Revision 2', 'valid, can be saved'],
  },
  {
    description: 'revisions of a strategy are read',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.listRevisions,
    address: `${OF_STRATEGY}?tab=Revisions`,
    answer: {
      revisions: [
        {
          strategy: STRATEGY,
          type: 'CHANGE_TYPE_UPDATED',
          author: 'founder',
          changes: [{ path: 'description', after: 'buys what fell' }],
        },
      ],
    },
    shows: ['Revision 2updated', 'by founder'],
  },
  {
    description: 'the roll-out of a strategy is read',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.getRollout,
    address: `${OF_STRATEGY}?tab=Roll-out`,
    answer: { revision: '2', digest: 'd'.repeat(64) },
    shows: ['the account is at revision 2'],
  },
  {
    description: 'a draft is judged',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.validateStrategy,
    address: OF_STRATEGY,
    answer: { valid: true, definition: { strategyName: 'dip' } },
    shows: ['valid, can be saved'],
  },
  {
    description: 'a draft that lacks all that matters is judged',
    state: COMMAND_STATES.signedIn,
    method: StrategyService.method.validateStrategy,
    address: '/strategies/new',
    answer: { faults: [{ field: 'strategy_name', description: 'is required' }] },
    shows: ['to put right', 'strategy_name', 'is required'],
  },
  {
    description: 'a strategy is saved',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.updateStrategy,
    address: OF_STRATEGY,
    act: revise,
    answer: { strategy: { ...STRATEGY, revision: '3' } },
    shows: [],
  },
  {
    description: 'a strategy is saved that somebody else has changed meanwhile',
    state: TRADING_STATES.changed,
    method: StrategyService.method.updateStrategy,
    address: OF_STRATEGY,
    act: revise,
    answer: { status: 409, code: 'aborted', reason: 'REVISION_STALE' },
    shows: ['A newer revision is stored', 'REVISION_STALE'],
  },
  {
    description: 'a strategy is deleted',
    state: TRADING_STATES.strategy,
    method: StrategyService.method.deleteStrategy,
    address: OF_STRATEGY,
    act: async (page) => {
      await page.press('Delete');
      await page.press('Delete dip');
    },
    answer: {},
    shows: ['Strategies (1)'],
  },
  {
    description: 'the catalogue of indicators is read',
    state: COMMAND_STATES.signedIn,
    method: MarketService.method.listIndicators,
    address: '/strategies/new',
    answer: {
      indicators: [
        { idPattern: 'rsi_N', description: 'relative strength', formula: 'of N candles', examples: ['rsi_14'] },
      ],
    },
    shows: ['rsi_N', 'relative strength', 'of N candles', 'rsi_14'],
  },
];

export const SESSION_CALLS: readonly ConsoleCall[] = [
  {
    description: 'the list of sessions is read',
    state: TRADING_STATES.failed,
    method: SessionService.method.listSessions,
    address: '/sessions',
    answer: { sessions: [SESSION] },
    shows: ['Sessions (1)', 'failed', CONSOLE_EXECUTOR, '0 of 1'],
  },
  {
    description: 'a session is started, and cannot be',
    state: TRADING_STATES.startable,
    method: SessionService.method.startSession,
    address: '/sessions',
    act: start,
    answer: NOT_STARTED,
    shows: ['The session did not start; nothing runs', 'ACTIVATION_FAILED', 'the executor does not start sessions'],
  },
  {
    description: 'it is read why a session could not start',
    state: TRADING_STATES.failed,
    method: SessionService.method.getSession,
    address: '/sessions',
    act: start,
    beside: [
      {
        method: SessionService.method.startSession,
        answer: NOT_STARTED,
      },
    ],
    answer: { session: SESSION },
    shows: ['dip on BTC_USDT', 'the executor does not start sessions'],
  },
  {
    description: 'everything is told to stop',
    state: COMMAND_STATES.away,
    method: SessionService.method.stopAll,
    address: '/',
    act: async (page) => {
      await page.press('Kill switch …');
      await page.press(`Stop ${CONSOLE_EXECUTOR} and close positions`);
    },
    answer: { halt: HALT },
    shows: ['The stop is stored and on its way.', CONSOLE_EXECUTOR],
  },
  {
    description: 'it is read who has stopped',
    state: TRADING_STATES.halted,
    method: SessionService.method.getHalt,
    address: '/',
    answer: { halt: HALT },
    shows: ['not everybody has confirmed', 'Pulled by founder', 'closing positions', 'command'],
  },
];

export const SESSION_WATCHES: readonly ConsoleWatch[] = [
  {
    description: WATCHED.session,
    state: TRADING_STATES.failed,
    method: SessionService.method.watchSession,
    address: `/sessions/${CONSOLE_SESSION}`,
    message: { cursor: 'cursor-1', session: SESSION },
    shows: [
      'paper session on vps-1',
      'failed',
      'nothing could be activated',
      'dip on BTC_USDT',
      'the executor does not start sessions',
    ],
  },
];
