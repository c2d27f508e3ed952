import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toJsonString } from '@bufbuild/protobuf';
import { type Credentials, CredentialsSchema } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { DataDirectory } from '../../deploy/local/data-directory.ts';
import { ServiceProcess } from '../../deploy/local/service-process.ts';
import type { Stack } from '../../services/platform/lifecycle.ts';
import { Controlled } from './controlled.ts';
import { type Program, serviceProgram } from './programs.ts';

export interface AgentOptions {
  readonly credentials: Credentials;
  /** Names logs and notes; default: the executor's name. Needed for two agents with one credential. */
  readonly name?: string;
  /** Default: a folder of its own, kept over restarts. */
  readonly journal?: string;
  /** In place of those in the credentials, for a proxy in between. */
  readonly linkUrls?: readonly string[];
  readonly gatewayUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False: the handle is returned without a running process. */
  readonly started?: boolean;
  /** Script of another agent than the paper one. */
  readonly entry?: string;
}

/** An agent process, with a paper account unless it was told otherwise. */
export interface TestAgent extends Controlled<ServiceProcess> {
  readonly journal: string;
  readonly credentialsFile: string;
}

/** Starts `services/executor` as a process of its own, as an operator would on a VPS. */
export async function startAgent(data: DataDirectory, stack: Stack, options: AgentOptions): Promise<TestAgent> {
  const name = options.name ?? options.credentials.executorName;
  const directory = join(data.root, 'agents', name);
  const journal = options.journal ?? join(directory, 'journal');
  const credentialsFile = join(directory, 'credentials.json');
  const credentials: Credentials = {
    ...options.credentials,
    linkUrls: [...(options.linkUrls ?? options.credentials.linkUrls)],
    gatewayUrl: options.gatewayUrl ?? options.credentials.gatewayUrl,
  };
  await mkdir(directory, { recursive: true });
  await writeFile(credentialsFile, toJsonString(CredentialsSchema, credentials), { mode: 0o600 });
  const processName = `agent-${name}`;
  const program: Program = options.entry === undefined ? serviceProgram('executor') : { entry: options.entry, env: {} };
  const handle = new Controlled(processName, () =>
    ServiceProcess.start({
      name: processName,
      entry: program.entry,
      env: {
        ...program.env,
        STRATEGOS_LOG_LEVEL: 'debug',
        STRATEGOS_CREDENTIALS: credentialsFile,
        STRATEGOS_JOURNAL: journal,
        ...options.env,
      },
      logFile: data.log(processName),
      recordFile: data.record(processName),
    }),
  );
  stack.add(handle);
  if (options.started !== false) await handle.start();
  return Object.assign(handle, { journal, credentialsFile });
}
