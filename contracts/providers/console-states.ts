import { create } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AccessService, Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandErrorSchema, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorLinkService, HelloSchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { HaltScope } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Secret } from '../../services/executor/index.ts';
import { pollTransport } from '../../services/executor/stream/transports.ts';
import { OWN_DIGEST } from '../../test/harness/own-contract.ts';
import { COMMAND_STATES, CONSOLE_COMMAND, CONSOLE_EXECUTOR } from '../consumers/console-command-calls.ts';
import {
  CONSOLE_SESSION,
  CONSOLE_STRATEGY,
  CONSOLE_STRATEGY_FORM,
  TRADING_STATES,
} from '../consumers/console-trading-calls.ts';
import { SAMPLE } from '../golden/sample-values.ts';
import type { DoorProxy } from './door-proxy.ts';
import type { LivePlatform } from './live-platform.ts';

export const CONSOLE_STATES: readonly string[] = [...Object.values(COMMAND_STATES), ...Object.values(TRADING_STATES)];

/** Puts the real services into a state of the console's pact: an account of its own, with rows of its own. */
export async function setUpConsole(name: string, platform: LivePlatform, door: DoorProxy): Promise<void> {
  const account = await Account.create(platform);
  door.bearer = account.bearer;
  await account.setUp(name);
  door.bearer = account.bearer;
  door.stands.clear();
  for (const [sample, real] of account.stands) door.stands.set(sample, real);
}

/** An account with nobody else in it. */
class Account {
  bearer: string;
  /** What the pact calls by a sample's id is called otherwise here. */
  readonly stands = new Map<string, string>();
  readonly #gatewayUrl: string;

  private constructor(gatewayUrl: string, bearer: string) {
    this.#gatewayUrl = gatewayUrl;
    this.bearer = bearer;
  }

  static async create(platform: LivePlatform): Promise<Account> {
    const founder = new Account(platform.gatewayUrl, platform.token);
    const accountId = platform.newName('console');
    const { bearer } = await founder.#client(AccessService).createAccount({ accountId });
    return new Account(platform.gatewayUrl, bearer);
  }

  async setUp(name: string): Promise<void> {
    switch (name) {
      case COMMAND_STATES.signedIn:
        return;
      case COMMAND_STATES.unknown:
        this.bearer = `${this.bearer.slice(0, -8)}AAAAAAAA`;
        return;
      case COMMAND_STATES.looking: {
        await this.#executor();
        const access = this.#client(AccessService);
        const { bearer } = await access.createToken({ name: 'viewer', role: Role.VIEWER });
        this.bearer = bearer;
        return;
      }
      case COMMAND_STATES.away:
        await this.#executor();
        await this.#ping();
        return;
      case COMMAND_STATES.done:
        await this.#executed(CommandState.SUCCEEDED);
        return;
      case COMMAND_STATES.refused:
        await this.#executed(CommandState.REJECTED);
        return;
      case TRADING_STATES.strategy:
        await this.#strategy(2);
        return;
      case TRADING_STATES.changed:
        await this.#strategy(3);
        return;
      case TRADING_STATES.startable:
        await this.#pinger();
        await this.#strategy(2);
        return;
      case TRADING_STATES.halted:
        await this.#executor();
        await this.#client(SessionService).stopAll({ scope: HaltScope.ACCOUNT, closePositions: true });
        return;
      case TRADING_STATES.failed:
        await this.#failedSession();
        return;
      default:
        throw new Error(`nobody knows how to set up "${name}": add it to contracts/providers/console-states.ts`);
    }
  }

  async #executor(): Promise<Credentials> {
    const { credentials } = await this.#client(ExecutorService).createExecutor({ name: CONSOLE_EXECUTOR });
    if (credentials === undefined) throw new Error('an executor was created without credentials');
    this.stands.set('executor-1', credentials.executorId);
    return credentials;
  }

  async #ping(): Promise<string> {
    const { command } = await this.#client(CommandService).issueCommand({
      executor: CONSOLE_EXECUTOR,
      kind: { case: 'ping', value: { payload: 'of the pact' } },
      requestId: crypto.randomUUID(),
    });
    const id = command?.id ?? '';
    this.stands.set(CONSOLE_COMMAND, id);
    return id;
  }

  /** An executor that polls, and that offers to be pinged and nothing else. */
  async #pinger(): Promise<Client<typeof ExecutorLinkService>> {
    const { keyId, secret } = await this.#executor();
    const transport = pollTransport({ keyId, secret: new Secret(secret), linkUrls: [], gatewayUrl: this.#gatewayUrl });
    if (transport === undefined) throw new Error('there is no gateway to poll');
    const link = createClient(ExecutorLinkService, transport);
    const { journalId } = SAMPLE;
    const facts = { agentVersion: '1.0.0', contractDigest: OWN_DIGEST, kinds: ['ping'], inFlightMax: 8 };
    await link.pollCommands({ hello: create(HelloSchema, { journalId, ...facts }) });
    return link;
  }

  /** A ping goes to an agent that polls, and ends there. */
  async #executed(state: CommandState): Promise<void> {
    const link = await this.#pinger();
    const commandId = await this.#ping();
    const error = create(CommandErrorSchema, {
      reason: ErrorReason.LOCAL_LIMIT,
      message: 'a limit of its own',
      hop: 'agent',
      metadata: { limit: 'leverage' },
    });
    const finished = state === CommandState.SUCCEEDED ? { state } : { state, error };
    const event = { case: 'finished', value: finished } as const;
    await link.reportEvents({ streamEpoch: 1n, events: { events: [{ commandId, attempt: 1, event }] } });
  }

  async #strategy(revision: number): Promise<string> {
    const strategies = this.#client(StrategyService);
    const { description: _, ...first } = CONSOLE_STRATEGY_FORM;
    const { strategy } = await strategies.createStrategy({ source: { case: 'json', value: JSON.stringify(first) } });
    const id = strategy?.id ?? '';
    for (let from = 1; from < revision; from += 1) {
      const form = { ...first, description: from === 1 ? CONSOLE_STRATEGY_FORM.description : 'of somebody else' };
      const source = { case: 'json', value: JSON.stringify(form) } as const;
      await strategies.updateStrategy({ strategy: id, revision: BigInt(from), source });
    }
    this.stands.set(CONSOLE_STRATEGY, id);
    return id;
  }

  /** Its executor starts no sessions: no strategy can be activated. */
  async #failedSession(): Promise<void> {
    await this.#pinger();
    const strategy = await this.#strategy(2);
    const sessions = this.#client(SessionService);
    const order = { mode: SessionMode.PAPER, executor: CONSOLE_EXECUTOR, initialBalance: '10000' };
    const strategies = [{ strategy, symbols: ['BTC_USDT'] }];
    const refusal = await sessions.startSession({ ...order, strategies, requestId: crypto.randomUUID() }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const [failed] = (await sessions.listSessions({})).sessions;
    if (refusal === undefined || failed === undefined)
      throw new Error('a session that cannot start has to be refused, and to leave a row', { cause: refusal });
    this.stands.set(CONSOLE_SESSION, failed.id);
  }

  #client<S extends Parameters<typeof createClient>[0]>(service: S): Client<S> {
    const transport = createConnectTransport({
      baseUrl: this.#gatewayUrl,
      httpVersion: '1.1',
      interceptors: [
        (next) => (request) => {
          request.header.set('authorization', `Bearer ${this.bearer}`);
          return next(request);
        },
      ],
    });
    return createClient(service, transport);
  }
}
