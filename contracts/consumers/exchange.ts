import { isDeepStrictEqual } from 'node:util';
import type { DescMessage, JsonObject, JsonValue, Message } from '@bufbuild/protobuf';
import { PactV4 } from '@pact-foundation/pact';
import { isObject } from '../golden/frame.ts';
import { documentOf, objectOf } from '../schema/json.ts';
import { needsOf } from './matchers.ts';
import { Reads } from './reads.ts';

/** Sees an answer before the consumer does. */
export type Watch = <T extends Message>(message: T) => T;

/** One question and its answer on the stream: a synchronous message of the pact. */
export interface Exchange {
  readonly description: string;
  /** State of the provider. */
  readonly state: string;
  /** What the answer is, by the descriptor. */
  readonly answerDesc: DescMessage;
  /** An answer of which everything could be read. */
  readonly sample: JsonObject;
  /** Names of fields that tie the answer to the question, wherever they stand: their values count, not only their form. */
  readonly tied: readonly string[];
  /**
   * Lets the real consumer ask, hands it the answer, and checks that it takes it for one. `watch` sees the answer before the
   * consumer does. @returns what it asked
   */
  readonly take: (answer: JsonObject, watch: Watch) => Promise<JsonObject>;
}

interface Names {
  readonly consumer: string;
  readonly provider: string;
}

/**
 * Writes exchanges into a pact. What the consumer reads of a full answer is what it needs; that it is enough is shown by asking
 * again and answering with nothing else.
 */
export async function writeExchanges(names: Names, exchanges: readonly Exchange[], directory: string): Promise<void> {
  for (const { description, state, answerDesc, sample, tied, take } of exchanges) {
    const reads = new Reads();
    const asked = await take(sample, (message) => reads.watch(answerDesc, message));
    const needed = objectOf(reads.needed(sample) ?? null);
    await new PactV4({ ...names, dir: directory, logLevel: 'error' })
      .addSynchronousInteraction(description)
      .given(state)
      .withRequest((request) => request.withJSONContent(asked))
      .withResponse((response) => response.withJSONContent(tie(needsOf(answerDesc, needed), needed, tied)))
      .executeTest(async ({ Response }) => {
        const bytes: unknown = Response[0]?.content;
        if (!(bytes instanceof Uint8Array)) throw new Error(`the pact hands out no answer to "${description}"`);
        const answer = documentOf<JsonObject>(new TextDecoder().decode(bytes));
        const again = await take(answer, (message) => message);
        if (!isDeepStrictEqual(again, asked))
          throw new Error(`${description}: the consumer does not ask the same twice`);
      });
  }
}

/** Puts the value itself where only its form was asked for. */
function tie(needs: unknown, json: JsonValue, tied: readonly string[]): unknown {
  if (typeof needs !== 'object' || needs === null) return needs;
  if (Array.isArray(json)) {
    const [first] = json;
    // The template of a list's elements; a tied element stands for itself.
    const [template] = 'value' in needs && Array.isArray(needs.value) ? needs.value : [];
    return isObject(first) && holds(first, tied) ? [tie(template, first, tied)] : needs;
  }
  if (!isObject(json)) return needs;
  const fields = Object.entries(needs).map(([key, need]): [string, unknown] => {
    const value = json[key] ?? null;
    return [key, tied.includes(key) ? value : tie(need, value, tied)];
  });
  return Object.fromEntries(fields);
}

function holds(json: JsonValue, names: readonly string[]): boolean {
  if (Array.isArray(json)) return json.some((item) => holds(item, names));
  return isObject(json) && Object.entries(json).some(([key, value]) => names.includes(key) || holds(value, names));
}
