import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { freePort } from './port.ts';

const COMPOSE = fileURLToPath(new URL('../../deploy/container/compose.yaml', import.meta.url));

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
});
export type ComposeService = z.infer<typeof service>;

/** Ports that a service listens on unless it is told otherwise, with the variable that tells it. */
const PORT_VARIABLES: Readonly<Record<string, string>> = {
  '7070': 'STRATEGOS_PORT',
  '7080': 'STRATEGOS_LINK_PORT',
  '7090': 'STRATEGOS_COMMAND_PORT',
  '7110': 'STRATEGOS_STRATEGY_PORT',
  '7120': 'STRATEGOS_MARKET_PORT',
  '7130': 'STRATEGOS_EVALUATOR_PORT',
  '7140': 'STRATEGOS_SESSION_PORT',
  '7150': 'STRATEGOS_BACKTEST_PORT',
  '7160': 'STRATEGOS_ALERT_PORT',
};

/** The services of the compose file, with its variables put in. @throws Error for one that is required and not given. */
export function composeServices(variables: Readonly<Record<string, string>>): ReadonlyMap<string, ComposeService> {
  const text = readFileSync(COMPOSE, 'utf8').replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, how: string | undefined, words: string) => {
      const value = variables[name] ?? (how === '-' ? words : undefined);
      if (value === undefined) throw new Error(`${name} ${words}`);
      return value;
    },
  );
  const { services } = z.object({ services: z.record(z.string(), service) }).parse(parse(text, { merge: true }));
  return new Map(Object.entries(services));
}

/** What a name or an address in the file stands for here. */
type Replacement = readonly [from: RegExp, to: string];

/**
 * Where things are when every container is a process of one machine: each port of a container, and the port of the host that
 * leads to it, becomes a free loopback port; the names of servers that are not ours become their addresses.
 */
export class OneMachine {
  /** By "container:port". */
  readonly #ports: ReadonlyMap<string, number>;
  readonly #published: ReadonlyMap<string, number>;
  readonly #servers: readonly Replacement[];

  private constructor(
    ports: ReadonlyMap<string, number>,
    published: ReadonlyMap<string, number>,
    servers: readonly Replacement[],
  ) {
    this.#ports = ports;
    this.#published = published;
    this.#servers = servers;
  }

  static async plan(
    services: ReadonlyMap<string, ComposeService>,
    servers: readonly Replacement[],
  ): Promise<OneMachine> {
    const ports = new Map<string, number>();
    const published = new Map<string, number>();
    for (const name of services.keys()) {
      for (const port of Object.keys(PORT_VARIABLES)) ports.set(`${name}:${port}`, await freePort());
    }
    for (const [name, { ports: mappings }] of services) {
      for (const mapping of mappings) {
        const [, outside = '', inside = ''] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(mapping) ?? [];
        published.set(`127.0.0.1:${outside}`, ports.get(`${name}:${inside}`) ?? 0);
      }
    }
    return new OneMachine(ports, published, servers);
  }

  /** The port of the host that the compose file publishes. */
  published(port: number): number {
    return this.#published.get(`127.0.0.1:${port}`) ?? 0;
  }

  environment(name: string, { environment }: ComposeService): Record<string, string> {
    const entries = Object.entries(environment).map(([key, value]) => [key, this.#here(value)] as const);
    const ports = Object.entries(PORT_VARIABLES).map(
      ([port, variable]) => [variable, String(this.#ports.get(`${name}:${port}`))] as const,
    );
    return { ...Object.fromEntries(entries), ...Object.fromEntries(ports), STRATEGOS_HOST: '127.0.0.1' };
  }

  #here(value: string): string {
    let text = value;
    for (const [from, to] of this.#servers) text = text.replace(from, to);
    return text.replaceAll(/http:\/\/([^:/,]+:\d+)/g, (address, place: string) => {
      const port = this.#ports.get(place) ?? this.#published.get(place);
      return port === undefined ? address : `http://127.0.0.1:${port}`;
    });
  }
}
