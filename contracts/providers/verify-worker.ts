import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import pact from '@pact-foundation/pact';
import { messageOf } from '../../services/platform/errors.ts';
import { documentOf } from '../schema/json.ts';
import type { FromWorker, ToWorker } from './verification.ts';

/** What the provider was asked to do, by number. */
const asked = new Map<number, PromiseWithResolvers<JsonValue | undefined>>();
let numbers = 0;

function tell(message: FromWorker): void {
  process.send?.(message);
}

/** The provider lives in the process that started this one. */
function ask(message: (number: number) => FromWorker): Promise<JsonValue | undefined> {
  numbers += 1;
  const done = Promise.withResolvers<JsonValue | undefined>();
  asked.set(numbers, done);
  tell(message(numbers));
  return done.promise;
}

/** The verifier prints its own report to the output of its process, which is why it has one of its own. */
async function verify({ id, request }: Extract<ToWorker, { type: 'verify' }>): Promise<void> {
  const { provider, pactFile, messages, exchanges, states: names, providerBaseUrl } = request;
  const setUp = (name: string) => async (): Promise<void> => {
    await ask((number) => ({ type: 'state', id, number, name }));
  };
  const said = Object.entries(messages).map(([name, json]) => [name, async () => json] as const);
  const answers = exchanges.map((description) => [description, answering(id, description)] as const);
  const verifier = new pact.Verifier({
    provider,
    pactUrls: [pactFile],
    logLevel: 'error',
    stateHandlers: Object.fromEntries(names.map((name) => [name, { setup: setUp(name) }])),
    messageProviders: Object.fromEntries<MessageProvider>([...said, ...answers]),
    providerBaseUrl,
  });
  try {
    tell({ type: 'verified', id, report: await verifier.verifyProvider() });
  } catch (thrown) {
    tell({ type: 'verified', id, report: messageOf(thrown) });
  }
}

type MessageProvider = (message: {
  readonly content?: unknown;
  readonly providerStates?: readonly { readonly name: string }[];
}) => Promise<unknown>;

function answering(id: number, description: string): MessageProvider {
  return ({ content, providerStates = [] }) => {
    const question = { description, state: providerStates[0]?.name ?? '', content: questionIn(content) };
    return ask((number) => ({ type: 'ask', id, number, question }));
  };
}

/** What the consumer asks; where nothing is asked, and the provider speaks by itself, nothing. */
function questionIn(content: unknown): JsonObject {
  return documentOf<JsonObject>(JSON.stringify(content ?? {}));
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'verify') {
    verify(message).catch((thrown: unknown) => tell({ type: 'verified', id: message.id, report: messageOf(thrown) }));
    return;
  }
  const waiting = asked.get(message.number);
  asked.delete(message.number);
  if (message.error === undefined) waiting?.resolve(message.answer);
  else waiting?.reject(new Error(message.error));
});
