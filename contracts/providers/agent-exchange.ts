import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import {
  type ConnectRequest,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { AgentBench } from '../consumers/agent-bench.ts';
import { AGENT_STATES } from '../consumers/platform-exchanges.ts';
import { answered, openCommand } from '../consumers/reaction.ts';
import { eventsSingly } from '../golden/singly.ts';

/** Asks the real agent in the state `state`, and gives its answer. @throws Error when none comes */
export async function askAgent(
  content: JsonObject,
  state: string,
  onItsWay: (answer: ConnectRequest) => ConnectRequest = (answer) => answer,
): Promise<ConnectRequest> {
  const asked = fromJson(ConnectResponseSchema, content);
  await using bench = await AgentBench.start();
  const stream = await bench.stream();
  await stream.next();
  stream.welcome();
  const [commandId = ''] = asked.frame.case === 'inquiry' ? asked.frame.value.commandIds : [];
  if (state === AGENT_STATES.executing) await openCommand(bench, stream, commandId);
  await answered(stream);
  stream.toAgent.push(asked);
  const answer = await stream.next('the agent does not answer');
  const [first] = answer === undefined ? [] : eventsSingly(answer);
  if (first === undefined) throw new Error('the agent ends the stream instead of answering');
  return onItsWay(first);
}
