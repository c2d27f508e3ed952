import { Gauge, Registry } from 'prom-client';
import type { Clients } from '../client.ts';
import { failureOf } from '../terminal/errors.ts';
import { commandPart } from './commands.ts';
import { executorPart } from './executors.ts';
import { marketPart } from './markets.ts';
import type { Part } from './part.ts';
import { sessionPart } from './sessions.ts';
import { alertPart, checkPart } from './watch.ts';

/** What a look found out about itself. */
export interface Look {
  /** In the text format of Prometheus. */
  readonly text: string;
  /** Why parts are missing, by their names. */
  readonly missing: ReadonlyMap<string, string>;
}

/** The account's figures as they are at the moment of asking. Looks that overlap share one. */
export class Exposition {
  readonly contentType: string;
  readonly #clients: Clients;
  readonly #registry = new Registry();
  readonly #up: Gauge;
  readonly #parts: readonly Part[];
  #looking: Promise<Look> | undefined;

  constructor(clients: Clients) {
    this.#clients = clients;
    this.contentType = this.#registry.contentType;
    this.#up = new Gauge({
      name: 'strategos_up',
      help: '1 for each part of the figures that the platform gave at this scrape, 0 for one that is missing',
      labelNames: ['part'],
      registers: [this.#registry],
    });
    this.#parts = [commandPart, executorPart, sessionPart, marketPart, alertPart, checkPart].map((make) =>
      make(this.#registry),
    );
  }

  look(): Promise<Look> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Look> {
    const missing = new Map<string, string>();
    await Promise.all(
      this.#parts.map(async (part) => {
        try {
          await part.look(this.#clients);
        } catch (thrown) {
          part.forget();
          missing.set(part.name, failureOf(thrown, undefined).message);
        }
        this.#up.set({ part: part.name }, missing.has(part.name) ? 0 : 1);
      }),
    );
    return { text: await this.#registry.metrics(), missing };
  }
}
