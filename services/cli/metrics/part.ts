import { type Duration, durationMs, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { Gauge, type Registry } from 'prom-client';
import type { Clients } from '../client.ts';
import { pages } from '../terminal/pages.ts';

/** What is asked at one scrape has this long: Prometheus itself gives up after 10 s. */
export const CALL = { timeoutMs: 5_000 } as const;

/** Gauges that one look fills. */
export interface Part {
  readonly name: string;
  /** Asks, and then sets every gauge at once. @throws ConnectError when the platform does not tell; no gauge has changed then. */
  look(clients: Clients): Promise<void>;
  /** Nothing is known any more: what was last seen is no news of now. */
  forget(): void;
}

/** One time series. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** Absent where the platform knows none, and then there is no series. */
  readonly value: number | undefined;
}

type Samples<Name extends string> = Readonly<Record<Name, readonly Sample[]>>;

/** What a gauge tells, and the names of its labels. */
type Gauges<Name extends string> = Readonly<Record<Name, readonly [help: string, ...labelNames: string[]]>>;

/** A part with these gauges, by their names without the prefix; `ask` gives the samples of each. */
export function part<Name extends string>(
  registry: Registry,
  partName: string,
  described: Gauges<Name>,
  ask: (clients: Clients) => Promise<Samples<Name>>,
): Part {
  const names = Object.keys(described).filter((key): key is Name => key in described);
  const gauges = new Map(
    names.map((name) => {
      const [help, ...labelNames] = described[name];
      return [name, new Gauge<string>({ name: `strategos_${name}`, help, labelNames, registers: [registry] })];
    }),
  );
  const forget = (): void => {
    for (const [name, gauge] of gauges) {
      // One without labels would be reset to 0, which is a figure.
      if (described[name].length === 1) gauge.remove();
      else gauge.reset();
    }
  };
  forget();
  return {
    name: partName,
    forget,
    async look(clients) {
      const samples = await ask(clients);
      forget();
      for (const [each, gauge] of gauges) {
        for (const { labels, value } of samples[each]) if (value !== undefined) gauge.set({ ...labels }, value);
      }
    },
  };
}

/** Of an enum's value name: EXECUTOR_STATE_ONLINE without its prefix, in lower case. */
export function word(name: string | undefined): string {
  return (name ?? 'unknown').toLowerCase();
}

export function seconds(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time) / 1_000;
}

/** What a scrape was told of a list; not complete when it has more than are asked for. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly complete: boolean;
}

/** Everything of a paged list, at most `max`; asked once, for the next scrape asks again. */
export async function listed<T>(
  max: number,
  fetch: (
    pageSize: number,
    pageToken: string,
  ) => Promise<{ readonly items: readonly T[]; readonly nextPageToken: string }>,
): Promise<Listed<T>> {
  let next = '';
  const noted = async (pageSize: number, pageToken: string) => {
    const page = await fetch(pageSize, pageToken);
    next = page.nextPageToken;
    return page;
  };
  const items = await Array.fromAsync(pages(max, noted, (once) => once()));
  return { items, complete: next === '' };
}

/** The gauge that tells whether the others are of all that there is. */
export function completeness(complete: boolean): readonly Sample[] {
  return [{ labels: {}, value: Number(complete) }];
}

export function secondsOf(span: Duration | undefined): number | undefined {
  return span === undefined ? undefined : durationMs(span) / 1_000;
}
