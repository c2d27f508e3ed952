import type { Client } from '@connectrpc/connect';
import { Pool, type QueryResultRow } from 'pg';
import { CommandService } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ExecutorService } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { internalHeaders } from '../../services/platform/grpc/caller.ts';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { Secret } from '../../services/platform/config.ts';
import { Clients } from '../harness/clients.ts';
import type { TestServers } from '../harness/servers.ts';
import { FOUNDER, startStack, type TestStack } from '../harness/stack.ts';
import type { FleetCredential } from './fleet.ts';
import { LightConnection } from './light-connection.ts';
import { LightLink, type LightLinkEvents } from './light-link.ts';

const CREATES_AT_ONCE = 16;

/** One command replica with clients as a neighbouring service has them, and a look into its database. */
export class Subject implements AsyncDisposable {
  readonly stack: TestStack;
  readonly commands: Client<typeof CommandService>;
  readonly executors: Client<typeof ExecutorService>;
  readonly #clients: Clients;
  readonly #pool: Pool;

  private constructor(stack: TestStack, clients: Clients) {
    const [url = ''] = stack.commandUrls;
    this.stack = stack;
    this.#clients = clients;
    this.commands = clients.internal(CommandService, url, stack.internalToken, FOUNDER);
    this.executors = clients.internal(ExecutorService, url, stack.internalToken, FOUNDER);
    this.#pool = new Pool({ connectionString: stack.databaseUrl, max: 2 });
  }

  static async start(servers: TestServers): Promise<Subject> {
    const stack = await startStack({
      servers,
      gateway: false,
      env: { STRATEGOS_LOG_LEVEL: 'warn' },
    });
    return new Subject(stack, new Clients());
  }

  get linkUrl(): string {
    return this.stack.linkUrls[0] ?? '';
  }

  get pid(): number {
    return this.stack.replica(0).current.pid;
  }

  /** A connection as a neighbouring service has one, for calls that must cost the machine little. */
  lightConnection(): LightConnection {
    return new LightConnection(this.#internalUrl, this.#headers);
  }

  /** A stream as a neighbouring service issues over. */
  issueStream(events: LightLinkEvents): LightLink {
    const path = pathOf(CommandService.method.issueCommandStream);
    return new LightLink(this.#internalUrl, path, this.#headers, events);
  }

  /** Creates executors named `prefix0`, `prefix1` and so on. */
  async create(prefix: string, count: number): Promise<FleetCredential[]> {
    const credentials: FleetCredential[] = [];
    const next = Array.from({ length: count }, (_, i) => i);
    const work = async (): Promise<void> => {
      for (let i = next.pop(); i !== undefined; i = next.pop()) {
        const { credentials: made } = await this.executors.createExecutor({ name: `${prefix}${i}` });
        if (made !== undefined) credentials.push({ keyId: made.keyId, secret: made.secret });
      }
    };
    await Promise.all(Array.from({ length: CREATES_AT_ONCE }, work));
    return credentials;
  }

  /** The postmaster, whose children are the backends. */
  async postgresPid(): Promise<number> {
    const [row] = await this.query<{ file: string }>("SELECT pg_read_file('postmaster.pid') AS file");
    return Number(row?.file.split('\n')[0]);
  }

  async query<T extends QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.#pool.query<T>(text, values)).rows;
  }

  get #internalUrl(): string {
    return this.stack.commandUrls[0] ?? '';
  }

  get #headers(): Record<string, string> {
    return internalHeaders(new Secret(this.stack.internalToken), FOUNDER, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clients[Symbol.dispose]();
    await this.#pool.end();
    await this.stack[Symbol.asyncDispose]();
  }
}
