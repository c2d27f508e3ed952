import { readFileSync } from 'node:fs';
import type { TestAgent } from '../harness/agent.ts';
import { until } from '../harness/until.ts';

/** Lines of the agent's log that hold this text, since the agent was last started. */
export function logLines(agent: TestAgent, text: string): string[] {
  return readFileSync(agent.current.log.path, 'utf8')
    .split('\n')
    .filter((line) => line.includes(text));
}

/** Waits for the agent itself to say that it has lost its stream, more often than `before`. */
export function noticedByAgent(agent: TestAgent, before: number, timeoutMs: number): Promise<boolean> {
  return until(() => logLines(agent, 'stream ended').length > before, `${agent.name} has noticed`, timeoutMs);
}
