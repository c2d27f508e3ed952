/** What an executor reported when it was last seen. */
export interface FleetMember {
  readonly name: string;
  readonly agentVersion: string;
  /** Of the wire descriptors that its agent was built with; empty when it named none. */
  readonly digest: string;
  readonly lastSeenMs: number;
}

/** A release that has a baseline. */
export interface KnownRelease {
  readonly version: string;
  readonly digest: string;
  /** Last day of its support, such as "2028-12-31". */
  readonly supportedUntil: string;
  /** What of its wire format this build has not kept, a sentence each. */
  readonly differences: readonly string[];
}

export interface FleetVerdict extends FleetMember {
  /** The release whose wire format it speaks; "this build" for one that no baseline is needed for. */
  readonly release: string | undefined;
  readonly breaks: boolean;
  /** Why it would break, or why it stays whole. */
  readonly reason: string;
  /** What its release needs and this build has not kept, a sentence each. */
  readonly differences: readonly string[];
}

export interface FleetRules {
  readonly supported: readonly KnownRelease[];
  readonly ownDigest: string;
  readonly nowMs: number;
}

/** So many differences stand in a reason. */
const DIFFERENCES_SHOWN = 3;

/** Holds what is in the field against what a build supports; those that would break come first. */
export function deployable(fleet: readonly FleetMember[], rules: FleetRules): FleetVerdict[] {
  const verdicts = fleet.map((member) => ({ ...member, ...verdictOf(member, rules) }));
  return verdicts.toSorted((a, b) => Number(b.breaks) - Number(a.breaks) || a.name.localeCompare(b.name));
}

type Judged = Pick<FleetVerdict, 'release' | 'breaks' | 'reason' | 'differences'>;

function verdictOf(member: FleetMember, { supported, ownDigest, nowMs }: FleetRules): Judged {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  // Two releases may have one wire format: the one that is supported longest counts.
  const [release] = supported
    .filter(({ digest }) => digest === member.digest)
    .toSorted((a, b) => (a.supportedUntil < b.supportedUntil ? 1 : -1));
  if (release !== undefined && release.supportedUntil >= today) {
    return whole(release.version, `release ${release.version} is supported until ${release.supportedUntil}`);
  }
  if (member.digest === ownDigest) return whole('this build', 'it speaks the wire format of this build');
  if (release === undefined) return broken(undefined, unknownReason(member, supported));
  const { version, supportedUntil, differences } = release;
  return broken(
    version,
    `support of release ${version} ended on ${supportedUntil}; ${changed(differences)}`,
    differences,
  );
}

function whole(release: string, reason: string): Judged {
  return { release, breaks: false, reason, differences: [] };
}

function broken(release: string | undefined, reason: string, differences: readonly string[] = []): Judged {
  return { release, breaks: true, reason, differences };
}

function unknownReason({ digest, agentVersion }: FleetMember, supported: readonly KnownRelease[]): string {
  if (digest === '') return 'it names no wire format, so nobody knows what it needs';
  const namesake = supported.find(({ version }) => version === agentVersion);
  if (namesake === undefined) {
    const known = supported.map(({ version }) => version).join(', ');
    return `no release has its wire format; known are ${known === '' ? 'none' : known}`;
  }
  return `its agent calls itself ${agentVersion}, but has not the wire format of that release (${namesake.digest.slice(0, 12)}…)`;
}

function changed(differences: readonly string[]): string {
  if (differences.length === 0) return 'this build still keeps its wire format';
  const shown = differences.slice(0, DIFFERENCES_SHOWN).join('; ');
  const more = differences.length - DIFFERENCES_SHOWN;
  return `this build has changed: ${shown}${more > 0 ? `; and ${more} more` : ''}`;
}
