import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { isObject } from '../golden/frame.ts';

/**
 * One step of a conversation. Steps of one stream, counted from 1 for each agent, stand in the order in which they must happen. `{name}` stands for an id, a number or a time
 * that differs from run to run; a span for any span.
 */
export type Step =
  | { readonly agent: string; readonly stream: number; readonly opens: true }
  /** One frame of the agent, holding one event at the most. */
  | { readonly agent: string; readonly stream: number; readonly says: JsonObject }
  /** One frame of the platform, holding one command at the most. */
  | { readonly agent: string; readonly stream: number; readonly hears: JsonObject }
  /** The platform ended the stream. */
  | {
      readonly agent: string;
      readonly stream: number;
      readonly ended: { readonly code: string; readonly reason?: string };
    }
  /** The network broke. */
  | { readonly agent: string; readonly stream: number; readonly breaks: true }
  | { readonly operator: 'issues'; readonly command: string; readonly request: JsonObject }
  | { readonly operator: 'is refused'; readonly request: JsonObject; readonly code: string; readonly reason: string }
  | { readonly operator: 'cancels'; readonly command: string }
  | { readonly operator: 'disables' }
  | { readonly operator: 'sees'; readonly command: string; readonly state: string; readonly reason?: string }
  /** What the venue does with a command at the agent. */
  | { readonly venue: 'succeeds' | 'fails' | 'reports'; readonly agent: string; readonly command: string }
  /** The agent's clock goes on. */
  | { readonly agent: string; readonly waitsMs: number }
  | { readonly platform: 'drains' };

/** What an agent was started with. */
export interface AgentFacts {
  readonly journal: string;
  /** Proto names; absent: all. */
  readonly kinds?: readonly string[];
  readonly concurrencyMax?: number;
}

/** A conversation as it really took place between a release's agent and the platform of its day. */
export interface Transcript {
  readonly name: string;
  /** What it shows. */
  readonly about: string;
  readonly agents: Readonly<Record<string, AgentFacts>>;
  readonly steps: readonly Step[];
}

/** Sentences, which may be put in other words. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['reason', 'message', 'summary']);
const SPAN = /^\d+(?:\.\d{1,9})?s$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const PLACE = /^\{(?<name>[^}]+)\}$/;

/** Replaces what differs from run to run: ids by the names they were given, times and numbers by what they are. */
export function abstract(json: JsonValue, names: ReadonlyMap<string, string>, key = ''): JsonValue {
  if (Array.isArray(json)) return json.map((item) => abstract(item, names, key));
  if (isObject(json)) {
    return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, abstract(value, names, name)]));
  }
  if (typeof json !== 'string') return json;
  const name = names.get(json);
  if (name !== undefined) return `{${name}}`;
  if (key === 'sequence' || key === 'streamEpoch' || key === 'number') return '{number}';
  if (key === 'contractDigest') return '{digest}';
  if (FOR_PEOPLE.has(key) && !json.startsWith('ERROR_REASON_')) return '{text}';
  if (key === 'host' || key === 'platform' || key === 'platformVersion' || key === 'agentVersion') return '{text}';
  return TIME.test(json) ? '{time}' : json;
}

/** Values for the places of a transcript; what is new gets its name when it is first met. */
export class Places {
  readonly #values = new Map<string, string>();
  #number = 0;

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The JSON with a value in every place. */
  fill(json: JsonValue): JsonValue {
    if (Array.isArray(json)) return json.map((item) => this.fill(item));
    if (isObject(json)) return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.fill(value)]));
    const name = typeof json === 'string' ? PLACE.exec(json)?.groups?.['name'] : undefined;
    return name === undefined ? json : this.#valueOf(name);
  }

  /** What of `expected` does not stand in `found`, with its path; undefined when all does. What is more does not matter. */
  mismatch(found: JsonValue | undefined, expected: JsonValue, path = '$'): string | undefined {
    if (found === undefined) return `${path} is missing`;
    if (Array.isArray(expected)) {
      const items = Array.isArray(found) ? found : [];
      return expected
        .map((item, at) => this.mismatch(items[at], item, `${path}[${at}]`))
        .find((each) => each !== undefined);
    }
    if (isObject(expected)) {
      if (!isObject(found)) return `${path} is ${JSON.stringify(found)}`;
      return Object.entries(expected)
        .map(([key, value]) => this.mismatch(found[key], value, `${path}.${key}`))
        .find((each) => each !== undefined);
    }
    return this.#same(found, expected)
      ? undefined
      : `${path} is ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  }

  #same(found: JsonValue, expected: JsonValue): boolean {
    if (typeof expected !== 'string' || typeof found !== 'string') return found === expected;
    const name = PLACE.exec(expected)?.groups?.['name'];
    if (name === undefined) return found === expected || (SPAN.test(expected) && SPAN.test(found) && found !== '0s');
    if (name === 'time') return TIME.test(found);
    if (name === 'number') return /^\d+$/.test(found);
    if (name === 'text' || name === 'digest') return found !== '';
    const known = this.#values.get(name);
    if (known === undefined) this.#values.set(name, found);
    return known === undefined || known === found;
  }

  #valueOf(name: string): string {
    if (name === 'time') return new Date().toISOString();
    if (name === 'text') return 'text';
    if (name === 'number') return String((this.#number += 1));
    const known = this.#values.get(name);
    if (known === undefined) throw new Error(`nothing is known of {${name}} yet`);
    return known;
  }
}

/** The transcript with only those fields of the platform's frames that the release's agent needs, by the pact's contents. */
export function onlyNeeded(transcript: Transcript, needs: Iterable<JsonValue>): Transcript {
  const byFrame = new Map([...needs].filter(isObject).flatMap((need) => Object.entries(need)));
  const steps = transcript.steps.map((step) => {
    if (!('hears' in step)) return step;
    const kept = Object.entries(step.hears).map(([frame, body]) => {
      const need = byFrame.get(frame);
      // A command goes to the journal and to the venue as a whole.
      if (frame === 'commands' || !isObject(body) || !isObject(need)) return [frame, body] as const;
      return [frame, Object.fromEntries(Object.entries(body).filter(([key]) => key in need))] as const;
    });
    return { ...step, hears: Object.fromEntries(kept) };
  });
  return { ...transcript, steps };
}
