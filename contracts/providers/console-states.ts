import { create, type DescService } from '@bufbuild/protobuf';
import type { Client } from '@connectrpc/connect';
import { AccessService, Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { CommandErrorSchema, CommandState } from '../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { ExecutorLinkService } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Credentials, ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { SessionMode } from '../../proto/gen/strategos/command/v1/kind_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { HaltScope } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../proto/gen/strategos/session/v1/session_service_pb.js';
import { StrategyService } from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Clients } from '../../test/harness/clients.ts';
import { CLI_STATES } from '../consumers/cli-http.ts';
import {
  COMMAND_STATES,
  CONSOLE_COMMAND,
  CONSOLE_EXECUTOR,
  CONSOLE_EXECUTOR_ID,
} from '../consumers/console-command-calls.ts';
import {
  CONSOLE_SESSION,
  CONSOLE_STRATEGY,
  CONSOLE_STRATEGY_FORM,
  TRADING_STATES,
} from '../consumers/console-trading-calls.ts';
import { pollOnce } from './agent-links.ts';
import type { DoorProxy } from './door-proxy.ts';
import type { LivePlatform } from './live-platform.ts';

/** States of the pacts of those who call the gateway with an operator's token: the console and the command line. */
export const ACCOUNT_STATES: readonly string[] = [COMMAND_STATES, TRADING_STATES, CLI_STATES].flatMap((states) =>
  Object.values(states),
);

/** Puts the real services into such a state: an account of its own, with rows of its own. */
export async function setUpAccount(name: string, platform: LivePlatform, door: DoorProxy): Promise<void> {
  using account = await Account.create(platform);
  await account.setUp(name);
  door.bearer = account.bearer;
  for (const [sample, real] of account.stands) door.stands.set(sample, real);
}

/** An account with nobody else in it. */
class Account implements Disposable {
  bearer: string;
  /** What the pact calls by a sample's id is called otherwise here. */
  readonly stands = new Map<string, string>();
  readonly #gatewayUrl: string;
  readonly #clients = new Clients();

  private constructor(gatewayUrl: string, bearer: string) {
    this.#gatewayUrl = gatewayUrl;
    this.bearer = bearer;
  }

  static async create(platform: LivePlatform): Promise<Account> {
    using founder = new Account(platform.gatewayUrl, platform.token);
    const accountId = platform.newName('account');
    const { bearer } = await founder.#client(AccessService).createAccount({ accountId });
    return new Account(platform.gatewayUrl, bearer);
  }

  [Symbol.dispose](): void {
    this.#clients[Symbol.dispose]();
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
      case CLI_STATES.connected:
        await this.#pinger();
        return;
      case COMMAND_STATES.done:
        await this.#executed(CommandState.SUCCEEDED);
        return;
      case COMMAND_STATES.lost:
        await this.#executed(CommandState.OUTCOME_UNKNOWN);
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
    this.stands.set(CONSOLE_EXECUTOR_ID, credentials.executorId);
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
    return await pollOnce(await this.#executor(), this.#gatewayUrl);
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
    const finished = state === CommandState.REJECTED ? { state, error } : { state };
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

  #client<S extends DescService>(service: S): Client<S> {
    return this.#clients.edge(service, this.#gatewayUrl, this.bearer);
  }
}
