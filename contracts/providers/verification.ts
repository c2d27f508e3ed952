import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { messageOf } from '../../services/platform/errors.ts';
import { readEnv } from '../../services/platform/environment.ts';
import { ACCOUNT_STATES } from './console-states.ts';
import type { Interaction } from './pact-file.ts';
import { documentOf } from '../schema/json.ts';

export interface VerificationRequest {
  readonly provider: string;
  readonly pactFile: string;
  /** What the provider says, by the description in the pact. */
  readonly messages: Readonly<Record<string, JsonValue>>;
  /** What of the pact the provider is asked for when it is verified, by its description. */
  readonly exchanges: readonly string[];
  /** Names of the states that the pact asks for. */
  readonly states: readonly string[];
  /** Where HTTP interactions are asked. */
  readonly providerBaseUrl: string;
}

/** One thing that a consumer needs and does not get. */
export interface Mismatch {
  readonly interaction: string;
  /** JSON path in the message, or `$` where it is the whole. */
  readonly path: string;
  readonly what: string;
}

export type ToWorker =
  | { readonly type: 'verify'; readonly id: number; readonly request: VerificationRequest }
  | { readonly type: 'done'; readonly number: number; readonly answer?: JsonValue; readonly error?: string };

export type FromWorker =
  | { readonly type: 'verified'; readonly id: number; readonly report: string }
  | { readonly type: 'state'; readonly id: number; readonly number: number; readonly name: string }
  | { readonly type: 'ask'; readonly id: number; readonly number: number; readonly question: Question };

/** One question of the pact, as the consumer asks it. */
export interface Question {
  readonly description: string;
  readonly state: string;
  readonly content: JsonObject;
}

/** The provider, as the verifier meets it. */
export interface Provider {
  readonly setUp: (state: string) => Promise<void>;
  readonly answer: (question: Question) => Promise<JsonValue>;
}

interface Waiting {
  readonly report: PromiseWithResolvers<string>;
  readonly provider: Partial<Provider>;
  /** Why the provider gave no answer, by the description of what it was asked. */
  readonly failures: Map<string, string>;
}

const COMPLAINT_CHARS_MAX = 2_000;
const WORKER = fileURLToPath(new URL('verify-worker.ts', import.meta.url));

/** Runs the pact verifier in a process of its own. Nothing is downloaded and nothing is reported outside. */
export class PactVerification implements Disposable {
  readonly #worker: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;
  #complaint = '';

  constructor() {
    const { PATH, HOME } = readEnv();
    this.#worker = fork(WORKER, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { PATH, HOME, PACT_DO_NOT_TRACK: 'true' },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker.on('message', (message: FromWorker) => this.#take(message));
    // Read, whatever it is: a process whose words nobody takes comes to a halt.
    this.#worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-COMPLAINT_CHARS_MAX);
    });
    this.#worker.on('close', (code) => {
      const ended = new Error(`the pact verifier ended with ${code}: ${this.#complaint.trim()}`);
      for (const { report } of this.#waiting.values()) report.reject(ended);
    });
  }

  /** What the pact asks for and the provider does not give; empty when all is well. */
  async verify(request: VerificationRequest, provider: Partial<Provider> = {}): Promise<readonly Mismatch[]> {
    this.#requests += 1;
    const waiting: Waiting = { report: Promise.withResolvers<string>(), provider, failures: new Map() };
    this.#waiting.set(this.#requests, waiting);
    const message: ToWorker = { type: 'verify', id: this.#requests, request };
    this.#worker.send(message);
    const mismatches = mismatchesOf(await waiting.report.promise);
    // The verifier knows no more than that it got none.
    return mismatches.map((each) => ({ ...each, what: waiting.failures.get(each.interaction) ?? each.what }));
  }

  [Symbol.dispose](): void {
    this.#waiting.clear();
    this.#worker.kill();
  }

  #take(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (message.type === 'verified') {
      this.#waiting.delete(message.id);
      waiting?.report.resolve(message.report);
      return;
    }
    void this.#answer(message, waiting);
  }

  async #answer(
    message: Exclude<FromWorker, { type: 'verified' }>,
    { provider = {}, failures }: Partial<Waiting> = {},
  ): Promise<void> {
    const { number } = message;
    try {
      const answer =
        message.type === 'state' ? await provider.setUp?.(message.name) : await provider.answer?.(message.question);
      this.#tell({ type: 'done', number, ...(answer === undefined ? {} : { answer }) });
    } catch (thrown) {
      if (message.type === 'ask') failures?.set(message.question.description, messageOf(thrown));
      this.#tell({ type: 'done', number, error: messageOf(thrown) });
    }
  }

  /** Nobody is there to be told when the verification was given up meanwhile. */
  #tell(message: ToWorker): void {
    if (this.#worker.connected) this.#worker.send(message);
  }
}

interface Report {
  readonly errors?: readonly {
    readonly interaction?: string;
    readonly mismatch?: {
      readonly type?: string;
      readonly message?: string;
      readonly mismatches?: readonly { readonly path?: string; readonly mismatch?: string; readonly type?: string }[];
    };
  }[];
}

function mismatchesOf(text: string): Mismatch[] {
  const start = text.indexOf('{"errors"');
  if (start === -1) return [{ interaction: 'the pact as a whole', path: '$', what: text }];
  const { errors = [] } = documentOf<Report>(text.slice(start));
  return errors.flatMap(({ interaction = '', mismatch = {} }) => {
    const name = interaction.slice(interaction.lastIndexOf(' - ') + (interaction.includes(' - ') ? 3 : 0));
    const { mismatches } = mismatch;
    if (mismatches === undefined)
      return [{ interaction: name, path: '$', what: mismatch.message ?? JSON.stringify(mismatch) }];
    return mismatches.map(({ path, mismatch: what, type }) => ({
      interaction: name,
      path: path ?? type ?? '$',
      what: what ?? 'differs',
    }));
  });
}

/** What a pact's verification needs to know of it. */
export function verificationOf(pactFile: string, provider: string, interactions: readonly Interaction[]) {
  const states = interactions.flatMap(({ providerStates = [] }) => providerStates.map(({ name }) => name));
  const exchanges = interactions.filter(isAsked);
  return {
    provider,
    pactFile,
    states: [...new Set(states)],
    exchanges: exchanges.map(({ description }) => description),
  };
}

/** Whether the provider is asked anew, rather than what it says known beforehand. */
function isAsked({ type, providerStates = [] }: Interaction): boolean {
  if (type === 'Synchronous/Messages') return true;
  return type === 'Asynchronous/Messages' && providerStates.some(({ name }) => ACCOUNT_STATES.includes(name));
}
