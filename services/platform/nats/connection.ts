import { connect, Events, type NatsConnection, type Subscription } from 'nats';
import { backoffMs } from '../backoff.ts';
import { messageOf } from '../errors.ts';
import type { Running } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';

export interface NatsOptions {
  /** One URL or a comma list of a cluster's. */
  readonly url: string;
  /** Shown in the server's monitoring. */
  readonly name: string;
  readonly logger: Logger;
  /** Whether it hears what it says itself. Default true. */
  readonly echo?: boolean;
}

/** Called with the subject a message came on, and its bytes. Must not throw; what it throws is logged. */
export type NatsHandler = (subject: string, data: Uint8Array) => void;

/** A dead server is noticed after two of these. */
const PING_INTERVAL_MS = 10_000;
const PINGS_OUT_MAX = 2;
const CONNECT_MS_MAX = 5_000;
const RECONNECT = { firstMs: 100, maxMs: 1_000 } as const;

interface Registration {
  readonly subject: string;
  readonly handler: NatsHandler;
  subscription: Subscription | undefined;
}

/**
 * A connection that is allowed to be away. It starts disconnected, keeps trying for ever, and never throws because NATS is
 * not there: what is published meanwhile is dropped and counted, because messages here are hints that a sweep repairs.
 */
export class NatsLink implements Running {
  readonly #options: NatsOptions;
  readonly #registrations = new Set<Registration>();
  readonly #reconnectCallbacks = new Set<() => void>();
  #connection: NatsConnection | undefined;
  #connected = false;
  #dropped = 0;
  #stopped = false;
  /** What the server has refused since it was reached last. */
  readonly #refusals = new Set<string>();
  #retry: NodeJS.Timeout | undefined;
  #connecting: Promise<void> = Promise.resolve();

  constructor(options: NatsOptions) {
    this.#options = options;
    this.#begin(1);
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Messages dropped because there was no connection. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a hint, best effort. Returns false when it was dropped. */
  publish(subject: string, data?: Uint8Array): boolean {
    if (this.#connected && this.#connection !== undefined) {
      try {
        this.#connection.publish(subject, data);
        return true;
      } catch (thrown) {
        this.#options.logger.debug({ subject, reason: messageOf(thrown) }, 'hint not published');
      }
    }
    this.#dropped += 1;
    return false;
  }

  /** Listens now and after every reconnection, until the returned function is called. */
  subscribe(subject: string, handler: NatsHandler): () => void {
    const registration: Registration = { subject, handler, subscription: undefined };
    this.#registrations.add(registration);
    if (this.#connection !== undefined) this.#listen(this.#connection, registration);
    return () => {
      this.#registrations.delete(registration);
      if (this.#connection?.isClosed() === false) registration.subscription?.unsubscribe();
    };
  }

  /** Calls back after every connection that is made, the first included: hints before it may be lost. */
  onReconnect(callback: () => void): () => void {
    this.#reconnectCallbacks.add(callback);
    return () => this.#reconnectCallbacks.delete(callback);
  }

  /** Closes the connection; hints that are on their way may be lost. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#connecting;
    const connection = this.#connection;
    this.#connected = false;
    await connection?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #begin(attempt: number): void {
    this.#connecting = this.#connect(attempt);
  }

  async #connect(attempt: number): Promise<void> {
    const { url, name, logger, echo = true } = this.#options;
    try {
      const connection = await connect({
        servers: url.split(',').map((server) => server.trim()),
        name,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: PINGS_OUT_MAX,
        timeout: CONNECT_MS_MAX,
        maxReconnectAttempts: -1,
        reconnectDelayHandler: () => backoffMs(4, RECONNECT),
        ignoreAuthErrorAbort: true,
        noAsyncTraces: true,
        noEcho: !echo,
      });
      this.#connection = connection;
      this.#watch(connection);
      for (const registration of this.#registrations) this.#listen(connection, registration);
      this.#up();
    } catch (thrown) {
      if (attempt === 1) logger.warn({ reason: messageOf(thrown) }, 'nats away');
      this.#again(attempt + 1);
    }
  }

  #again(attempt: number): void {
    if (this.#stopped) return;
    this.#retry = setTimeout(() => this.#begin(attempt), backoffMs(attempt, RECONNECT));
    this.#retry.unref();
  }

  #watch(connection: NatsConnection): void {
    const follow = async (): Promise<void> => {
      for await (const status of connection.status()) {
        if (status.type === Events.Disconnect) this.#down();
        else if (status.type === Events.Reconnect) this.#up();
        else if (status.type === Events.Error && typeof status.data === 'string') this.#refused(status.data);
      }
      const error = await connection.closed();
      this.#down();
      this.#connection = undefined;
      // A connection that is to reconnect for ever and yet closed was refused for good: begin anew.
      if (!this.#stopped) {
        this.#options.logger.warn({ reason: error?.message }, 'nats closed the connection');
        this.#again(2);
      }
    };
    follow().catch((thrown: unknown) => this.#options.logger.error({ err: thrown }, 'nats status failed'));
  }

  #listen(connection: NatsConnection, registration: Registration): void {
    registration.subscription = connection.subscribe(registration.subject, {
      callback: (error, message) => {
        const { logger } = this.#options;
        if (error !== null) {
          logger.warn({ subject: registration.subject, reason: error.message }, 'nats subscription failed');
          return;
        }
        try {
          registration.handler(message.subject, message.data);
        } catch (thrown) {
          // No more than a line: whoever sends rubbish would fill the disk with stacks.
          logger.warn({ subject: message.subject, reason: messageOf(thrown) }, 'nats message not understood');
        }
      },
    });
  }

  /** One line for each reason, not for each try. */
  #refused(reason: string): void {
    if (this.#refusals.has(reason)) return;
    this.#refusals.add(reason);
    this.#options.logger.warn({ reason }, 'nats refuses');
  }

  #up(): void {
    if (this.#connected || this.#stopped) return;
    this.#connected = true;
    this.#refusals.clear();
    this.#options.logger.info({ server: this.#connection?.getServer() }, 'nats connected');
    for (const callback of this.#reconnectCallbacks) callback();
  }

  #down(): void {
    if (!this.#connected) return;
    this.#connected = false;
    if (!this.#stopped) this.#options.logger.warn('nats lost');
  }
}

/** Starts connecting in the background and returns at once. */
export function connectNats(options: NatsOptions): NatsLink {
  return new NatsLink(options);
}
