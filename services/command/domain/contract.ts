import { StatusError } from '../../platform/errors.ts';
import type { Kind } from './kind.ts';

/** What becomes of an agent whose wire format is not supported. */
export const CONTRACT_POLICIES = ['refuse', 'read_only', 'accept'] as const;
export type ContractPolicy = (typeof CONTRACT_POLICIES)[number];

/** One release of the executor, as its agents report it. */
export interface SupportedContract {
  readonly version: string;
  /** Of its wire descriptors. */
  readonly digest: string;
  /** Last day of its support, such as "2028-12-31". */
  readonly supportedUntil: string;
}

/** What a Hello says of the agent's build. */
export interface AgentBuild {
  readonly executorName: string;
  readonly agentVersion: string;
  readonly contractDigest: string;
}

export interface ContractRules {
  readonly policy: ContractPolicy;
  /** Of this build, which is always supported. */
  readonly ownDigest: string;
  readonly ownVersion: string;
  readonly supported: readonly SupportedContract[];
}

const DIGEST_CHARS_SHOWN = 12;

/** Kinds that change nothing at the venue: all that an agent gets that nobody vouches for. */
const READING_KINDS: ReadonlySet<string> = new Set(['get_status', 'ping'] satisfies Kind[]);

/**
 * The kinds that an agent of this build is served with: all that it offers, or, where policy says so, only those that read.
 * @throws PERMISSION_DENIED with what to install, when nobody vouches for its wire format and policy refuses that
 */
export function servedKinds(
  build: AgentBuild,
  kinds: readonly string[],
  rules: ContractRules,
  nowMs: number,
): readonly string[] {
  const release = releaseOf(build.contractDigest, rules);
  const isSupported = release !== undefined && release.supportedUntil >= dayOf(nowMs);
  if (isSupported || build.contractDigest === rules.ownDigest || rules.policy === 'accept') return kinds;
  if (rules.policy === 'read_only') return kinds.filter((kind) => READING_KINDS.has(kind));
  const { executorName, agentVersion, contractDigest } = build;
  const versions = supportedVersions(rules, nowMs);
  throw new StatusError(
    'PermissionDenied',
    'CONTRACT_UNSUPPORTED',
    `the agent of "${executorName}" (version ${agentVersion || 'not told'}) speaks a wire format that ${standingOf(release, contractDigest)}; install an agent of version ${versions.join(' or ')}`,
    { metadata: { agent_version: agentVersion, contract_digest: contractDigest, supported: versions.join(',') } },
  );
}

/** Two releases may have one wire format: the one that is supported longest counts. */
function releaseOf(contractDigest: string, { supported }: ContractRules): SupportedContract | undefined {
  return supported
    .filter(({ digest }) => digest === contractDigest)
    .toSorted((a, b) => (a.supportedUntil < b.supportedUntil ? 1 : -1))[0];
}

function standingOf(release: SupportedContract | undefined, digest: string): string {
  if (release !== undefined) return `was supported until ${release.supportedUntil}`;
  return digest === ''
    ? 'it does not name'
    : `this platform does not know (digest ${digest.slice(0, DIGEST_CHARS_SHOWN)}…)`;
}

function supportedVersions({ supported, ownVersion }: ContractRules, nowMs: number): string[] {
  const versions = supported
    .filter(({ supportedUntil }) => supportedUntil >= dayOf(nowMs))
    .map(({ version }) => version);
  return [...new Set([...versions, ownVersion])];
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
