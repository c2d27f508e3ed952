import { type RecordingAgent, type RecordingAgentOptions, startRecordingAgent } from '../harness/recording-agent.ts';
import type { TestStack } from '../harness/stack.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { online } from './observe.ts';

/** An agent whose only way to the platform leads through a proxy. */
export interface ProxiedAgent extends AsyncDisposable {
  readonly agent: RecordingAgent;
  readonly proxy: TcpProxy;
}

/** Registers an executor and starts its agent behind a proxy to a replica's executor port, without the polling fallback. */
export async function startProxiedAgent(
  stack: TestStack,
  name: string,
  options: Partial<RecordingAgentOptions> & { readonly replica?: number } = {},
): Promise<ProxiedAgent> {
  const { replica = 0, ...rest } = options;
  const proxy = await TcpProxy.start(Number(new URL(stack.linkUrls[replica] ?? '').port));
  const agent = await startRecordingAgent(stack, {
    credentials: await stack.createExecutor(name),
    linkUrls: [proxy.url],
    gatewayUrl: '',
    ...rest,
  });
  if (rest.started !== false) await online(stack, name);
  return { agent, proxy, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}
