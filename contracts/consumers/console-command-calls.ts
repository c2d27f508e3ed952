import type { JsonObject } from '@bufbuild/protobuf';
import { AccessService } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { sampleId } from '../golden/sample-values.ts';
import type { ConsoleCall, ConsoleWatch } from './console-call.ts';
import type { ConsolePage } from './console-page.ts';

/** States of the provider, by the names that both sides know them by. */
export const COMMAND_STATES = {
  signedIn: 'somebody is signed in',
  unknown: 'nobody knows the token',
  looking: 'somebody may only look',
  away: 'the executor is away, and a command waits for it',
  refused: 'the agent has refused a command',
  lost: 'nobody knows what became of a command',
  done: 'the agent has done what it was told',
} as const;

/** What pages hear on streams, by the names that both sides know it by. */
export const WATCHED = {
  command: 'watched: a command that an agent refused',
  executor: 'watched: an executor that polls',
  session: 'watched: a session that could not start',
} as const;

/** The command of which the pact speaks; the real one has an id of its own. */
export const CONSOLE_COMMAND = sampleId(1);
/** Name of the executor in every state that has one, and the id by which the pact speaks of it. */
export const CONSOLE_EXECUTOR = 'vps-1';
export const CONSOLE_EXECUTOR_ID = 'executor-1';

const ABOUT: JsonObject = {
  id: CONSOLE_COMMAND,
  executorName: CONSOLE_EXECUTOR,
  ping: {},
  lane: 'LANE_NORMAL',
  attempt: 1,
  attemptsMax: 3,
  sequence: '1',
  requestId: 'request-1',
  createTime: '2024-01-01T00:00:01Z',
  deadlines: { deliverBy: '2024-01-01T00:01:00Z', finishBy: '2024-01-01T00:02:00Z' },
};
/** It was tried by nobody yet, and nothing is not there in JSON. */
const { attempt: _, ...UNTRIED } = ABOUT;
const WAITING: JsonObject = { ...UNTRIED, state: 'COMMAND_STATE_PENDING' };
const REFUSED: JsonObject = {
  ...ABOUT,
  state: 'COMMAND_STATE_REJECTED',
  sentTime: '2024-01-01T00:00:02Z',
  finishTime: '2024-01-01T00:00:03Z',
  error: {
    reason: 'ERROR_REASON_LOCAL_LIMIT',
    message: 'a limit of its own',
    hop: 'agent',
    metadata: { limit: 'leverage' },
  },
};
const STEP: JsonObject = {
  toState: 'COMMAND_STATE_PENDING',
  time: '2024-01-01T00:00:01Z',
  cause: 'accepted',
};
const EXPLAINED_WAITING: JsonObject = { command: WAITING, sentence: 'It waits for vps-1.', timeline: [STEP] };
const EXPLAINED_REFUSED: JsonObject = {
  command: { ...REFUSED, ping: { payload: 'of the pact' } },
  sentence: 'The agent refused it.',
  timeline: [STEP],
};
const LOST: JsonObject = { ...ABOUT, state: 'COMMAND_STATE_OUTCOME_UNKNOWN', finishTime: '2024-01-01T00:00:03Z' };
const EXECUTOR: JsonObject = {
  id: CONSOLE_EXECUTOR_ID,
  name: CONSOLE_EXECUTOR,
  state: 'EXECUTOR_STATE_ONLINE',
  link: 'LINK_KIND_POLL',
  agentVersion: '1.0.0',
  contractDigest: 'd'.repeat(64),
  kinds: ['ping'],
  inFlightMax: 8,
  queuedMax: 100,
  streamEpoch: '1',
  journalId: 'journal-1',
  lastSeenTime: '2024-01-01T00:00:04Z',
  connectTime: '2024-01-01T00:00:03Z',
  createTime: '2024-01-01T00:00:02Z',
  credentials: [{ keyId: 'key-1', createTime: '2024-01-01T00:00:02Z' }],
};
const CREDENTIALS: JsonObject = {
  executorId: CONSOLE_EXECUTOR_ID,
  executorName: 'vps-2',
  keyId: 'key-1',
  secret: 'not-a-secret',
  accountId: 'account-1',
  linkUrls: ['http://127.0.0.1:7100'],
};
const OF_COMMAND = `/commands/${CONSOLE_COMMAND}`;
const OF_EXECUTOR = `/executors/${CONSOLE_EXECUTOR}`;

async function send(page: ConsolePage): Promise<void> {
  await page.press('New command');
  await page.shows(CONSOLE_EXECUTOR);
  await page.press('Send ping');
}

async function createExecutor(page: ConsolePage, name: string): Promise<void> {
  await page.press('Create executor');
  await page.fill('Name', name);
  await page.press('Create');
}

export const ACCESS_CALLS: readonly ConsoleCall[] = [
  {
    description: 'the console asks who is signed in',
    state: COMMAND_STATES.signedIn,
    method: AccessService.method.whoAmI,
    address: '/commands',
    answer: { token: { id: 'token-1', accountId: 'account-1', name: 'founder', role: 'ROLE_ADMIN' } },
    shows: ['founder admin', 'account account-1'],
  },
  {
    description: 'somebody signs in with a token that nobody knows',
    state: COMMAND_STATES.unknown,
    method: AccessService.method.whoAmI,
    address: '/',
    token: '',
    act: async (page) => {
      await page.fill('Token', 't.mistyped');
      await page.press('Sign in');
    },
    answer: { status: 401, code: 'unauthenticated' },
    shows: ['what was wrong'],
  },
];

export const COMMAND_CALLS: readonly ConsoleCall[] = [
  {
    description: 'the list of commands is read',
    state: COMMAND_STATES.refused,
    method: CommandService.method.listCommands,
    address: '/commands',
    answer: { commands: [REFUSED, { ...REFUSED, id: sampleId(2), sequence: '2' }] },
    shows: ['shown', 'a limit of its own', '1 of 3', 'rejected'],
  },
  {
    description: 'commands that wait are looked for',
    state: COMMAND_STATES.away,
    method: CommandService.method.listCommands,
    address: '/',
    means: ({ filter }) => JSON.stringify(filter ?? null).includes('PENDING'),
    beside: [{ method: CommandService.method.explainCommand, answer: EXPLAINED_WAITING }],
    answer: { commands: [WAITING] },
    shows: ['Stuck (1)', 'ping to vps-1'],
  },
  {
    description: 'the figures of the last hour are read',
    state: COMMAND_STATES.done,
    method: CommandService.method.getCommandStats,
    address: '/',
    answer: {
      count: '1',
      successRate: 1,
      states: [{ state: 'COMMAND_STATE_SUCCEEDED', count: '1' }],
      acceptedToFinished: { p50Ms: 5, p95Ms: 5, p99Ms: 5 },
      windowStartTime: '2024-01-01T00:00:00Z',
      buckets: [
        {
          startTime: '2024-01-01T00:00:00Z',
          count: '1',
          tried: '1',
          successRate: 1,
          acceptedToFinished: { p50Ms: 5, p95Ms: 5 },
        },
      ],
    },
    shows: ['Success rate100', 'p95 to the end5 ms'],
  },
  {
    description: 'a command that an agent refused is explained',
    state: COMMAND_STATES.refused,
    method: CommandService.method.explainCommand,
    address: OF_COMMAND,
    answer: EXPLAINED_REFUSED,
    shows: ['ping to vps-1', 'The agent refused it.', 'a limit of its own', 'leverage', 'of the pact', 'accepted'],
  },
  {
    description: 'a command that waits is explained',
    state: COMMAND_STATES.away,
    method: CommandService.method.explainCommand,
    address: OF_COMMAND,
    answer: EXPLAINED_WAITING,
    shows: ['ping to vps-1', 'It waits for vps-1.'],
  },
  {
    description: 'a command is sent',
    state: COMMAND_STATES.away,
    method: CommandService.method.issueCommand,
    address: '/commands',
    act: send,
    answer: { command: WAITING },
    shows: ['The agent refused it.'],
  },
  {
    description: 'a command without what it needs is sent',
    state: COMMAND_STATES.away,
    method: CommandService.method.issueCommand,
    address: '/commands',
    act: async (page) => {
      await page.press('New command');
      await page.shows(CONSOLE_EXECUTOR);
      await page.fill('kind', 'stop_session');
      await page.press('Send stop_session');
    },
    answer: {
      status: 400,
      code: 'invalid_argument',
      reason: 'INVALID_FIELD',
      violations: [{ field: 'stop_session.session_id', description: 'is required' }],
    },
    shows: ['Not sent', 'INVALID_FIELD', 'stop_session.session_id is required'],
  },
  {
    description: 'a command is sent by somebody who may only look by now',
    state: COMMAND_STATES.looking,
    method: CommandService.method.issueCommand,
    address: '/commands',
    act: send,
    answer: { status: 403, code: 'permission_denied', reason: 'ROLE_INSUFFICIENT' },
    shows: ['Not sent', 'ROLE_INSUFFICIENT'],
  },
  {
    description: 'a command that waits is cancelled',
    state: COMMAND_STATES.away,
    method: CommandService.method.cancelCommand,
    address: OF_COMMAND,
    beside: [{ method: CommandService.method.explainCommand, answer: EXPLAINED_WAITING }],
    act: (page) => page.press('Cancel'),
    answer: { command: { ...WAITING, state: 'COMMAND_STATE_CANCELLED' }, cancelled: true },
    shows: ['Cancelled.'],
  },
  {
    description: 'a command that an agent refused is sent again',
    state: COMMAND_STATES.refused,
    method: CommandService.method.retryCommand,
    address: `${OF_COMMAND}?`,
    act: (page) => page.press('Retry'),
    answer: { command: { ...WAITING, id: sampleId(2) } },
    shows: ['It waits for vps-1.'],
    beside: [
      {
        method: CommandService.method.explainCommand,
        answer: EXPLAINED_WAITING,
        means: ({ id }) => id !== CONSOLE_COMMAND,
      },
    ],
  },
  {
    description: 'it is said that a command of which nobody knows has happened',
    state: COMMAND_STATES.lost,
    method: CommandService.method.settleCommand,
    address: OF_COMMAND,
    beside: [
      {
        method: CommandService.method.explainCommand,
        answer: { command: LOST, sentence: 'Nobody knows.', timeline: [STEP] },
      },
    ],
    act: async (page) => {
      await page.press('Settle …');
      await page.fill('What the venue shows', '1');
      await page.fill('What was seen there, for the history', 'it is there');
      await page.press('Settle as succeeded');
    },
    answer: { command: { ...LOST, state: 'COMMAND_STATE_SUCCEEDED' } },
    shows: ['Nobody knows.'],
  },
];

export const EXECUTOR_CALLS: readonly ConsoleCall[] = [
  {
    description: 'names of executors are offered',
    state: COMMAND_STATES.done,
    method: ExecutorService.method.listExecutors,
    address: '/commands',
    answer: { executors: [EXECUTOR] },
    shows: [`all${CONSOLE_EXECUTOR}`],
  },
  {
    description: 'names of executors are offered to somebody who may only look',
    state: COMMAND_STATES.looking,
    method: ExecutorService.method.listExecutors,
    address: '/commands',
    answer: { executors: [EXECUTOR] },
    shows: [`all${CONSOLE_EXECUTOR}`],
  },
  {
    description: 'an executor is created',
    state: COMMAND_STATES.signedIn,
    method: ExecutorService.method.createExecutor,
    address: '/executors',
    act: (page) => createExecutor(page, 'vps-2'),
    answer: { credentials: CREDENTIALS },
    shows: ['Credentials of vps-2', 'not-a-secret'],
  },
  {
    description: 'an executor is created under a name that another has',
    state: COMMAND_STATES.away,
    method: ExecutorService.method.createExecutor,
    address: '/executors',
    act: (page) => createExecutor(page, CONSOLE_EXECUTOR),
    answer: { status: 409, code: 'already_exists', reason: 'NAME_TAKEN' },
    shows: ['Not created', 'NAME_TAKEN'],
  },
  {
    description: 'the credential of an executor is renewed',
    state: COMMAND_STATES.done,
    method: ExecutorService.method.rotateCredentials,
    address: OF_EXECUTOR,
    act: async (page) => {
      await page.press('Rotate credentials');
      await page.press('Rotate');
    },
    answer: { credentials: { ...CREDENTIALS, executorName: CONSOLE_EXECUTOR } },
    shows: ['not-a-secret'],
  },
  {
    description: 'an executor is disabled',
    state: COMMAND_STATES.done,
    method: ExecutorService.method.disableExecutor,
    address: OF_EXECUTOR,
    act: async (page) => {
      await page.press('Disable');
      await page.press(`Disable ${CONSOLE_EXECUTOR}`);
    },
    answer: { executor: EXECUTOR },
    shows: [],
  },
];

export const COMMAND_WATCHES: readonly ConsoleWatch[] = [
  {
    description: WATCHED.command,
    state: COMMAND_STATES.refused,
    method: CommandService.method.watchCommands,
    address: '/commands',
    beside: [{ method: CommandService.method.listCommands, answer: { commands: [] } }],
    message: { cursor: 'cursor-1', command: REFUSED },
    shows: ['a limit of its own', '1 of 3', 'rejected'],
  },
  {
    description: WATCHED.executor,
    state: COMMAND_STATES.done,
    method: ExecutorService.method.watchExecutors,
    address: OF_EXECUTOR,
    message: { executor: EXECUTOR },
    shows: ['key-1', 'journal-1', '0 of 8 credits', 'dddd'],
  },
];
