import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import { PactV4 } from '@pact-foundation/pact';
import { ConnectResponseSchema } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { messageOf } from '../../services/platform/errors.ts';
import { isObject } from '../golden/frame.ts';
import { goldenOf, todaysFrames } from '../golden/make.ts';
import { needsOf } from './matchers.ts';
import { reaction } from './reaction.ts';
import { Reads } from './reads.ts';
import { documentOf } from '../schema/json.ts';

/** Names of the pact: who needs what of whom. */
export const EXECUTOR_PACT = { consumer: 'executor', provider: 'platform' } as const;

/** State of the provider, by the name that both sides know it by. */
export const HEARING_STATE = 'the agent is connected';

/** What the real agent needs of one frame of the platform. */
export interface FrameNeed {
  /** As in the golden frames, such as "platform commands/ping". */
  readonly name: string;
  readonly json: JsonObject;
}

/**
 * Finds out what the agent needs: each frame of the platform is said to the real agent, and what the agent reads of it is what it
 * needs. That it is enough is shown by saying it again with nothing else in it.
 * @throws Error naming every frame that the agent does not take
 */
export async function executorNeeds(): Promise<FrameNeed[]> {
  const { frames } = await todaysFrames();
  const needs: FrameNeed[] = [];
  const defects: string[] = [];
  for (const frame of frames.filter(({ from }) => from === 'platform')) {
    const { json } = goldenOf(frame);
    const reads = new Reads();
    try {
      await reaction(json, (said) => reads.watch(ConnectResponseSchema, said));
      const needed = reads.needed(json);
      if (isObject(needed)) needs.push({ name: frame.name, json: needed });
      else defects.push(`${frame.name}: the agent reads nothing of it`);
    } catch (thrown) {
      defects.push(`${frame.name}: ${messageOf(thrown)}`);
    }
  }
  if (defects.length > 0)
    throw new Error(`frames that the agent of this build does not take:\n  ${defects.join('\n  ')}`);
  return needs;
}

/** Writes the messages of the pact `executor-platform` into `directory`; each is handled by the real agent on the way. */
export async function writeExecutorMessages(directory: string): Promise<void> {
  for (const { name, json } of await executorNeeds()) {
    const pact = new PactV4({ ...EXECUTOR_PACT, dir: directory, logLevel: 'error' });
    await pact
      .addAsynchronousInteraction()
      .given(HEARING_STATE)
      .expectsToReceive(name, (message) => message.withJSONContent(needsOf(ConnectResponseSchema, json)))
      .executeTest(async ({ contents }) => {
        const content = documentOf<JsonValue>(JSON.stringify(contents.content));
        fromJson(ConnectResponseSchema, content);
        await reaction(content);
      });
  }
}
