import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentAct, HistoryRecord } from '../fault/history-record.ts';
import type { AgentOptions, TestAgent } from './agent.ts';
import { readRecords } from './recording-adapter.ts';
import { type RecordingControl, writeControl } from './recording-control.ts';
import type { TestStack } from './stack.ts';
import { until } from './until.ts';

export interface RecordingAgentOptions extends AgentOptions {
  /** Default: the founding account. */
  readonly accountId?: string;
  /** How it behaves from the start. */
  readonly control?: RecordingControl;
}

/** An agent process whose acts can be read, and whose behaviour can be changed while it runs. */
export interface RecordingAgent extends TestAgent {
  readonly agent: string;
  readonly executorId: string;
  readonly file: string;
  control(control: RecordingControl): void;
  records(): readonly HistoryRecord[];
  /** Acts of one type, in the order in which they happened. */
  acts(type: AgentAct['type']): AgentAct[];
  /** Resolves when an act of that type of the command has been recorded. */
  seen(type: AgentAct['type'], commandId: string, timeoutMs?: number): Promise<AgentAct>;
}

const ENTRY = fileURLToPath(new URL('./recording-executor.ts', import.meta.url));

/** Starts `recording-executor.ts` as a process of its own. */
export async function startRecordingAgent(stack: TestStack, options: RecordingAgentOptions): Promise<RecordingAgent> {
  const agent = options.name ?? options.credentials.executorName;
  const { executorId } = options.credentials;
  const file = join(stack.data.root, 'agents', agent, 'acts.jsonl');
  const controlFile = join(stack.data.root, 'agents', agent, 'control.json');
  await mkdir(dirname(file), { recursive: true });
  writeControl(controlFile, options.control ?? {});
  const handle = await stack.startAgent({
    ...options,
    entry: ENTRY,
    env: {
      RECORDING_FILE: file,
      RECORDING_CONTROL: controlFile,
      RECORDING_AGENT: agent,
      RECORDING_EXECUTOR_ID: executorId,
      RECORDING_ACCOUNT: options.accountId ?? 'main',
      ...options.env,
    },
  });
  const acts = (type: AgentAct['type']): AgentAct[] =>
    readRecords(file).filter((record): record is AgentAct => record.type === type);
  return Object.assign(handle, {
    agent,
    executorId,
    file,
    control: (control: RecordingControl) => writeControl(controlFile, control),
    records: () => readRecords(file),
    acts,
    seen: (type: AgentAct['type'], commandId: string, timeoutMs?: number) =>
      until(
        () => acts(type).find((act) => act.commandId === commandId),
        `${type} of ${commandId} on ${agent}`,
        timeoutMs,
      ),
  });
}
