import { isDeepStrictEqual } from 'node:util';
import {
  create,
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type MessageInitShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { MatchersV3, PactV4 } from '@pact-foundation/pact';
import { BadRequestSchema, ErrorInfoSchema } from '../../proto/gen/google/rpc/error_details_pb.js';
import { messageOf } from '../../services/platform/errors.ts';
import { pathOf } from '../../services/platform/grpc/endpoint.ts';
import { until } from '../../test/harness/until.ts';
import { isObject } from '../golden/frame.ts';
import { documentOf, objectOf } from '../schema/json.ts';
import { type ConsoleBench, type ConsolePage, type ConsoleWire, never } from './console-page.ts';
import { needsOf } from './matchers.ts';
import { Reads } from './reads.ts';

const { arrayContaining, like, regex } = MatchersV3;
/** Names of the pact: who needs what of whom. */
const CONSOLE_PACT = { consumer: 'console', provider: 'gateway' } as const;
const CALLED_MS_MAX = 15_000;
const JSON_TYPE = 'application/json';
/** What every refusal of the pact says to people. */
const MESSAGE = 'what was wrong';
const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** One call of the console, made by a page because of what a person does there. */
export interface ConsoleCall {
  readonly description: string;
  /** State of the provider. */
  readonly state: string;
  readonly method: DescMethod;
  /** Of the page. */
  readonly address: string;
  readonly act?: (page: ConsolePage) => Promise<void>;
  /** An answer of that state; of a refusal its Connect error. */
  readonly answer: JsonObject | Refusal;
  /** What the page then says; nothing where it goes on without a word. */
  readonly shows: readonly string[];
  /** Which of the page's calls of this RPC is meant; default: the first. */
  readonly means?: (asked: JsonObject) => boolean;
  readonly token?: string;
  /** What the page is answered beside, where it is not the usual. */
  readonly beside?: readonly Beside[];
}

interface Beside {
  readonly method: DescMethod;
  readonly answer: JsonObject | Refusal;
  readonly means?: (asked: JsonObject) => boolean;
}

/** A call that the gateway refuses, as far as a person is told. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly reason?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
}

/** What a stream of the gateway says, as a page hears it. */
export interface ConsoleWatch {
  readonly description: string;
  readonly state: string;
  readonly method: DescMethod;
  readonly address: string;
  readonly message: JsonObject;
  readonly shows: readonly string[];
  readonly beside?: readonly Beside[];
}

/** All of a console's world: what it is answered where nothing else is meant. */
export interface ConsoleWorld {
  readonly calls: readonly ConsoleCall[];
  readonly watches: readonly ConsoleWatch[];
}

type Call = ConsoleWire['call'];

/** Writes the pact of the console. @throws Error naming every call that a page does not make, or whose answer it does not take */
export async function writeConsole(bench: ConsoleBench, world: ConsoleWorld, directory: string): Promise<void> {
  const defects: string[] = [];
  const attempt = async (description: string, writing: Promise<void>): Promise<void> => {
    await writing.catch((thrown: unknown) => defects.push(`${description}: ${messageOf(thrown)}`));
  };
  for (const call of world.calls) await attempt(call.description, writeCall(bench, world, call, directory));
  for (const watch of world.watches) await attempt(watch.description, writeWatch(bench, world, watch, directory));
  if (defects.length > 0) throw new Error(`the console of this build does not do:\n  ${defects.join('\n  ')}`);
}

/** Writes a call into the pact: the page makes it, reads the answer, and says what it should with nothing else in it. */
async function writeCall(
  bench: ConsoleBench,
  world: ConsoleWorld,
  call: ConsoleCall,
  directory: string,
): Promise<void> {
  const { description, state, method, answer } = call;
  const reads = new Reads();
  const asked = await visit(bench, world, call, reads);
  const [status, body] = isRefusal(answer)
    ? [answer.status, refusalNeeds(answer)]
    : [200, needsOf(method.output, objectOf(reads.needed(answer) ?? {}))];
  await new PactV4({ ...CONSOLE_PACT, dir: directory, logLevel: 'error' })
    .addInteraction()
    .given(state)
    .uponReceiving(description)
    .withRequest('POST', pathOf(method), (wanted) => {
      const authorization = regex('^Bearer .+$', 'Bearer t.secret');
      wanted.headers({ authorization }).jsonBody(madeUp(asked));
    })
    .willRespondWith(status, (given) => {
      // With its type, which browsers read: said twice it would be none.
      given.jsonBody(body);
    })
    .executeTest(async ({ url }) => {
      await visit(bench, world, call, undefined, (path, init) => fetch(`${url}${path}`, init));
    });
}

/**
 * Writes what streams say into the pact as messages: a stream over HTTP is framed in bytes, of which a pact can only say that
 * they are the same bytes.
 */
async function writeWatch(
  bench: ConsoleBench,
  world: ConsoleWorld,
  watch: ConsoleWatch,
  directory: string,
): Promise<void> {
  const { description, state, method, message } = watch;
  const reads = new Reads();
  await hear(bench, world, watch, message, reads);
  const needed = objectOf(reads.needed(message) ?? null);
  await new PactV4({ ...CONSOLE_PACT, dir: directory, logLevel: 'error' })
    .addAsynchronousInteraction()
    .given(state)
    .expectsToReceive(description, (wanted) => wanted.withJSONContent(needsOf(method.output, needed)))
    .executeTest(({ contents }) =>
      hear(bench, world, watch, documentOf<JsonObject>(JSON.stringify(contents.content)), undefined),
    );
}

async function hear(
  bench: ConsoleBench,
  world: ConsoleWorld,
  { method, address, shows, beside = [] }: ConsoleWatch,
  message: JsonObject,
  reads: Reads | undefined,
): Promise<void> {
  const wire: ConsoleWire = {
    call: async (path, init) => answerBeside(world, beside, path, askedIn(init)),
    stream: (streamed) =>
      pathOf(streamed) === pathOf(method)
        ? [create(method.output), fromJson(method.output, message)]
        : sampleStream(world, streamed),
    watch: (heard, said) =>
      reads !== undefined && pathOf(heard) === pathOf(method) ? reads.watch(method.output, said) : said,
  };
  await bench.open({ address, token: 't.secret' }, wire, (page) => page.shows(...shows));
}

/** Makes the page make its call. @returns what it asked */
async function visit(
  bench: ConsoleBench,
  world: ConsoleWorld,
  { method, address, act, shows, answer, beside = [], means = () => true, token = 't.secret' }: ConsoleCall,
  reads: Reads | undefined,
  ask: Call = () => Promise.resolve(responseOf(answer)),
): Promise<JsonObject> {
  let asked: JsonObject | undefined;
  let watched = false;
  let answered = false;
  const wire: ConsoleWire = {
    call: (path, init) => {
      const body = askedIn(init);
      if (path === pathOf(method) && asked === undefined && means(body)) {
        asked = body;
        return ask(path, init).finally(() => (answered = true));
      }
      // Pages look again and compare, which would read everything.
      if (path === pathOf(method) && isDeepStrictEqual(body, asked)) return never();
      return Promise.resolve(answerBeside(world, beside, path, body));
    },
    stream: (streamed) => sampleStream(world, streamed),
    watch: (called, said) => {
      if (reads === undefined || asked === undefined || watched || pathOf(called) !== pathOf(method)) return said;
      watched = true;
      return reads.watch(method.output, said);
    },
  };
  await bench.open({ address, token }, wire, async (page) => {
    await act?.(page);
    await until(() => answered, `the page ${address} calls ${method.name}`, CALLED_MS_MAX);
    await page.shows(...shows);
  });
  if (asked === undefined) throw new Error(`the page ${address} does not call ${method.name}`);
  return asked;
}

function askedIn({ body }: RequestInit): JsonObject {
  if (typeof body === 'string') return documentOf(body);
  if (!(body instanceof Uint8Array)) throw new Error(`a call of the console has ${typeof body} for a body`);
  return documentOf(new TextDecoder().decode(body));
}

/** The answer to what is not meant: the one that was put beside it, or else the usual one. */
function answerBeside({ calls }: ConsoleWorld, beside: readonly Beside[], path: string, asked: JsonObject): Response {
  const own = beside.find(({ method, means }) => pathOf(method) === path && means?.(asked) !== false);
  const usual = calls.find(({ method, answer }) => pathOf(method) === path && !isRefusal(answer));
  return responseOf((own ?? usual)?.answer ?? { status: 501, code: 'unimplemented' });
}

function sampleStream({ watches }: ConsoleWorld, method: DescMethod): Message[] {
  const own = watches.filter((watch) => pathOf(watch.method) === pathOf(method));
  return [create(method.output), ...own.map(({ message }) => fromJson(method.output, message))];
}

function isRefusal(answer: JsonObject | Refusal): answer is Refusal {
  return typeof answer['status'] === 'number' && typeof answer['code'] === 'string';
}

function responseOf(answer: JsonObject | Refusal): Response {
  const headers = { 'content-type': JSON_TYPE };
  if (!isRefusal(answer)) return new Response(JSON.stringify(answer), { headers });
  const details = detailsOf(answer).map(({ type, value }) => ({ type, value }));
  const body = { code: answer.code, message: MESSAGE, details };
  return new Response(JSON.stringify(body), { status: answer.status, headers });
}

/** The console reads details out of their bytes; the text beside them is the same for people, and for this pact. */
function detailsOf({ reason, metadata = {}, violations }: Refusal) {
  const info = reason === undefined ? [] : [detailOf(ErrorInfoSchema, { reason, metadata: { ...metadata } })];
  const fieldViolations = (violations ?? []).map((each) => ({ ...each }));
  return violations === undefined ? info : [...info, detailOf(BadRequestSchema, { fieldViolations })];
}

/** As a gateway writes it: base64 without padding. */
function detailOf<D extends DescMessage>(desc: D, init: MessageInitShape<D>) {
  const message = create(desc, init);
  const value = Buffer.from(toBinary(desc, message)).toString('base64').replace(/=+$/, '');
  return { type: desc.typeName, debug: toJson(desc, message), value };
}

function refusalNeeds(refusal: Refusal): Record<string, unknown> {
  const details = detailsOf(refusal).map(({ type, debug, value }) => ({
    type,
    debug: inWords(debug),
    value: like(value),
  }));
  const needs = { code: refusal.code, message: like(MESSAGE) };
  return details.length === 0 ? needs : { ...needs, details: arrayContaining(...details) };
}

/** Sentences may change; fields and reasons are looked for by their names. */
function inWords(debug: JsonValue): unknown {
  if (Array.isArray(debug)) return debug.map(inWords);
  if (!isObject(debug)) return debug;
  const entries = Object.entries(debug).map(([key, value]): [string, unknown] => [
    key,
    key === 'description' || key === 'session_id' ? like(value) : inWords(value),
  ]);
  return Object.fromEntries(entries);
}

/** What a page makes up for each call may be anything of its form. */
function madeUp(asked: JsonObject): Record<string, unknown> {
  const { requestId } = asked;
  if (typeof requestId !== 'string') return asked;
  return { ...asked, requestId: regex(UUID, '00000000-0000-4000-8000-00000000abcd') };
}
