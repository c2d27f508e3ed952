import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  ConnectRequestSchema,
  ExecutorLinkService,
  type HelloSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Credentials, CredentialsSchema } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { Finding } from '../../services/cli/doctor/finding.ts';
import { createGrpcTransport } from '../../services/platform/grpc/transport.ts';
import { runCli } from './cli.ts';
import { OWN_DIGEST } from './own-contract.ts';
import type { TestStack } from './stack.ts';

/** What a doctor said, with the exit code of its process. */
export interface Diagnosis {
  readonly code: number | null;
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

/** `strategos doctor --json`. */
export function doctor(stack: TestStack, ...options: string[]): Promise<Diagnosis> {
  return diagnosed(stack, ['doctor', ...options]);
}

/** `strategos executor doctor --json` with these credentials in a file. */
export async function executorDoctor(stack: TestStack, credentials: Credentials): Promise<Diagnosis> {
  const file = join(await mkdtemp(join(stack.data.root, 'doctored-')), 'credentials.json');
  await writeFile(file, toJsonString(CredentialsSchema, credentials), { mode: 0o600 });
  return diagnosed(stack, ['executor', 'doctor', '--credentials', file]);
}

async function diagnosed(stack: TestStack, args: readonly string[]): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runCli(stack, [...args, '--json']);
  try {
    const { healthy, findings }: Omit<Diagnosis, 'code'> = JSON.parse(stdout);
    return { code, healthy, findings };
  } catch (thrown) {
    throw new Error(`strategos ${args.join(' ')} printed no document: ${stdout}${stderr}`, { cause: thrown });
  }
}

/** The steps that are faults. */
export function faultsOf({ findings }: Diagnosis): string[] {
  return findings.filter(({ verdict }) => verdict === 'fault').map(({ step }) => step);
}

/** The finding of a step. @throws Error with all steps when there is none */
export function findingOf({ findings }: Diagnosis, step: string): Finding {
  const found = findings.find((finding) => finding.step === step);
  if (found === undefined) {
    throw new Error(
      `no step ${step}: ${findings.map((each) => `${each.step} ${each.verdict} ${each.found}`).join('\n')}`,
    );
  }
  return found;
}

/** A peer that says a Hello of its own making, is welcomed, and holds its stream until it is disposed of. */
export async function saidHello(
  credentials: Credentials,
  hello: MessageInitShape<typeof HelloSchema>,
): Promise<AsyncDisposable> {
  const transport = createGrpcTransport({
    urls: credentials.linkUrls,
    ownConnection: true,
    headers: () => ({ authorization: `Bearer ${credentials.keyId}.${credentials.secret}` }),
  });
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()));
  const value = { journalId: 'doctored', agentVersion: '1.0.0', contractDigest: OWN_DIGEST, inFlightMax: 1, ...hello };
  async function* frames() {
    yield create(ConnectRequestSchema, { frame: { case: 'hello', value } });
    await ended;
  }
  const answers = createClient(ExecutorLinkService, transport).connect(frames(), { signal: over.signal });
  const first = await answers[Symbol.asyncIterator]().next();
  if (first.done === true || first.value.frame.case !== 'welcome') throw new Error('the peer was not welcomed');
  return {
    [Symbol.asyncDispose]: () => {
      over.abort();
      transport.close();
      return Promise.resolve();
    },
  };
}
