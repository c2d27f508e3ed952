import { CHANGES_STATE } from '../consumers/evaluator-messages.ts';
import { LINK_STATES } from '../consumers/executor-exchanges.ts';
import { STATES } from '../consumers/executor-http.ts';
import { HEARING_STATE } from '../consumers/executor-messages.ts';
import { AGENT_STATES } from '../consumers/platform-exchanges.ts';
import { pollOnce } from './agent-links.ts';
import { ACCOUNT_STATES, setUpAccount } from './console-states.ts';
import type { DoorProxy } from './door-proxy.ts';
import type { LivePlatform } from './live-platform.ts';

const ON_THE_STREAM: readonly string[] = [...Object.values(LINK_STATES), ...Object.values(AGENT_STATES)];

/** Puts the real platform into the state that an interaction asks for, with rows of its own, and the proxy into its caller's place. */
export async function setUpState(name: string, platform: LivePlatform, door: DoorProxy): Promise<void> {
  // Messages are built beforehand: by the session of production, and of rows that stand in the strategy service's own tables.
  if (name === HEARING_STATE || name === CHANGES_STATE) return;
  // Whoever asks on the stream sets up both of its ends.
  if (ON_THE_STREAM.includes(name)) return;
  door.stands.clear();
  if (ACCOUNT_STATES.includes(name)) {
    await setUpAccount(name, platform, door);
    return;
  }
  const credentials = await platform.createExecutor('pact');
  door.bearer = `${credentials.keyId}.${credentials.secret}`;
  switch (name) {
    case STATES.known:
      return;
    case STATES.polling:
      await pollOnce(credentials, platform.gatewayUrl);
      return;
    case STATES.unknown:
      door.bearer = `${credentials.keyId}.${'A'.repeat(credentials.secret.length)}`;
      return;
    case STATES.disabled:
      await platform.executors.disableExecutor({ executor: credentials.executorId });
      return;
    default:
      throw new Error(`nobody knows how to set up "${name}": add it to contracts/providers/states.ts`);
  }
}
