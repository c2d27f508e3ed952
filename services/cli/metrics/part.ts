import { type Duration, durationMs, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { Gauge, type Registry } from 'prom-client';
import type { Clients } from '../client.ts';

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

/** A part whose gauges are `helps`, by their names without the prefix; `ask` gives the samples of each. */
export function part<Name extends string>(
  registry: Registry,
  name: string,
  helps: Readonly<Record<Name, string>>,
  ask: (clients: Clients) => Promise<Samples<Name>>,
  labelNames: Readonly<Partial<Record<Name, readonly string[]>>>,
): Part {
  const names = Object.keys(helps).filter((key): key is Name => key in helps);
  const gauges = new Map(
    names.map((each) => {
      const facts = { name: `strategos_${each}`, help: helps[each], labelNames: [...(labelNames[each] ?? [])] };
      return [each, new Gauge<string>({ ...facts, registers: [registry] })];
    }),
  );
  const forget = (): void => {
    for (const [each, gauge] of gauges) {
      // One without labels would be reset to 0, which is a figure.
      if (labelNames[each] === undefined) gauge.remove();
      else gauge.reset();
    }
  };
  forget();
  return {
    name,
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

export function secondsOf(span: Duration | undefined): number | undefined {
  return span === undefined ? undefined : durationMs(span) / 1_000;
}
