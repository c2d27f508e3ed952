import { readFile, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { fromJsonString } from '@bufbuild/protobuf';
import { hasCode } from '../../../deploy/local/process-record.ts';
import { type Credentials, CredentialsSchema } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { type Finding, ill, well } from '../doctor/finding.ts';

const STEP = 'credentials.file';
/** Permissions of anybody but the owner. */
const OTHERS_MODE = 0o077;
const MEANING = 'the agent cannot start with it';
const NEXT = 'strategos executor rotate NAME --out FILE, then carry the file to this machine';

/** Whether the file is there, whole and private; what it says where an agent could use it. */
export async function credentialsFile(
  file: string,
): Promise<{ readonly finding: Finding; readonly credentials?: Credentials }> {
  const startMs = performance.now();
  const tookMs = (): number => performance.now() - startMs;
  const fault = (found: string, next = NEXT): { readonly finding: Finding } => ({
    finding: ill(STEP, 'fault', { found, meaning: MEANING, next }, tookMs()),
  });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    const why = hasCode(thrown, 'ENOENT') ? 'there is no such file' : messageOf(thrown);
    return fault(`${file} cannot be read: ${why}`, 'name the file with --credentials, or let its user read it');
  }
  const credentials = parsed(text);
  if (credentials === undefined) return fault(`${file} is not the JSON that strategos executor create --out writes`);
  const lacking = (['keyId', 'secret', 'linkUrls'] as const).filter((name) => credentials[name].length === 0);
  if (lacking.length > 0) return fault(`${file} lacks ${lacking.join(', ')}`);
  const { linkUrls, gatewayUrl } = credentials;
  const unusable = [...linkUrls, ...(gatewayUrl === '' ? [] : [gatewayUrl])].filter((url) => !isAddress(url));
  if (unusable.length > 0) {
    return fault(`${file}: ${unusable.map((url) => `"${url}"`).join(', ')} cannot be called; write http://host:port`);
  }
  const found = `${file} holds key ${credentials.keyId} of executor ${credentials.executorName || 'without a name'}`;
  if (platform() !== 'win32' && ((await stat(file)).mode & OTHERS_MODE) !== 0) {
    const meaning = 'other users of this machine may read the secret';
    return { finding: ill(STEP, 'warning', { found, meaning, next: `chmod 600 ${file}` }, tookMs()), credentials };
  }
  return { finding: well(STEP, found, tookMs()), credentials };
}

/** Undefined for what is no such JSON; the parser's own words would quote the secret. */
function parsed(text: string): Credentials | undefined {
  try {
    return fromJsonString(CredentialsSchema, text, { ignoreUnknownFields: true });
  } catch {
    return undefined;
  }
}

function isAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
