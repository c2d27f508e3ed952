import { fromJsonString } from '@bufbuild/protobuf';
import { readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import { CredentialsSchema } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { messageOf } from '../platform/errors.ts';
import { Secret } from '../platform/config.ts';

/** What an agent needs to connect. */
export interface ExecutorCredentials {
  readonly keyId: string;
  readonly secret: Secret;
  /** Addresses of the executor port, tried in turn. At least one. */
  readonly linkUrls: readonly string[];
  /** The gateway, for polling while the stream cannot be had; empty for none. */
  readonly gatewayUrl?: string;
  /** For logs. */
  readonly executorName?: string;
  /** Whose they are: a journal is kept for one executor, and refused to another. Unchecked without it. */
  readonly executorId?: string;
}

const OPTIONAL: ReadonlySet<string> = new Set(['gatewayUrl', 'executorName', 'executorId']);
/** Permissions of anybody but the owner. */
const OTHERS_MODE = 0o077;

/**
 * Reads a credentials file: the proto JSON of strategos.command.v1.Credentials, as `strategos executor create --out` writes it.
 * @returns the credentials, and a sentence when others may read the file
 * @throws Error naming the file and what is wrong with it
 */
export function readCredentials(file: string): {
  readonly credentials: ExecutorCredentials;
  readonly warning?: string;
} {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new Error(`the credentials file ${file} cannot be read: ${messageOf(thrown)}`, { cause: thrown });
  }
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(text);
  } catch {
    // The parser's message would quote the file's text, and the secret with it.
    throw new Error(`the credentials file ${file} is not the JSON that "strategos executor create --out" writes`);
  }
  const missing = Object.entries(parsed).filter(([, value]) => value.length === 0);
  const needed = missing.map(([name]) => name).filter((name) => !OPTIONAL.has(name));
  if (needed.length > 0)
    throw new Error(`the credentials file ${file} lacks ${needed.join(', ')}: create or rotate the credentials`);
  const { secret, ...rest } = parsed;
  const credentials = { ...rest, secret: new Secret(secret) };
  const mode = statSync(file).mode & OTHERS_MODE;
  if (mode === 0 || platform() === 'win32') return { credentials };
  return { credentials, warning: `other users of this machine may read ${file}: run chmod 600 ${file}` };
}

function parse(text: string) {
  const { keyId, secret, linkUrls, gatewayUrl, executorName, executorId } = fromJsonString(CredentialsSchema, text, {
    ignoreUnknownFields: true,
  });
  return { keyId, secret, linkUrls, gatewayUrl, executorName, executorId };
}

/** The header that proves who the agent is. */
export function authorization(credentials: ExecutorCredentials): string {
  return `Bearer ${credentials.keyId}.${credentials.secret.reveal()}`;
}
