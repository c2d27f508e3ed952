import pact from '@pact-foundation/pact';
import { messageOf } from '../../services/platform/errors.ts';
import type { FromWorker, ToWorker } from './verification.ts';

/** States that are being set up, by number. */
const settingUp = new Map<number, PromiseWithResolvers<void>>();
let states = 0;

function tell(message: FromWorker): void {
  process.send?.(message);
}

/** The verifier prints its own report to the output of its process, which is why it has one of its own. */
async function verify({ id, request }: Extract<ToWorker, { type: 'verify' }>): Promise<void> {
  const { provider, pactFile, messages, states: names, providerBaseUrl } = request;
  const setUp = (name: string) => async (): Promise<void> => {
    states += 1;
    const done = Promise.withResolvers<void>();
    settingUp.set(states, done);
    tell({ type: 'state', id, number: states, name });
    await done.promise;
  };
  const verifier = new pact.Verifier({
    provider,
    pactUrls: [pactFile],
    logLevel: 'error',
    stateHandlers: Object.fromEntries(names.map((name) => [name, { setup: setUp(name) }])),
    messageProviders: Object.fromEntries(Object.entries(messages).map(([name, json]) => [name, async () => json])),
    ...(providerBaseUrl === undefined ? {} : { providerBaseUrl }),
  });
  try {
    tell({ type: 'verified', id, report: await verifier.verifyProvider() });
  } catch (thrown) {
    tell({ type: 'verified', id, report: messageOf(thrown) });
  }
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'verify') {
    verify(message).catch((thrown: unknown) => tell({ type: 'verified', id: message.id, report: messageOf(thrown) }));
    return;
  }
  const waiting = settingUp.get(message.number);
  settingUp.delete(message.number);
  if (message.error === undefined) waiting?.resolve();
  else waiting?.reject(new Error(message.error));
});
