/** What an executor reported when it was last seen. */
export interface FleetMember {
  readonly name: string;
  readonly agentVersion: string;
  /** Of the wire descriptors that its agent was built with; empty when it named none. */
  readonly digest: string;
  readonly lastSeenMs: number;
}

export interface FleetVerdict extends FleetMember {
  /** The release whose wire format it speaks; "this build" for one that no baseline is needed for. */
  readonly release: string | undefined;
  /** Why it would break; undefined when it stays whole. */
  readonly why: string | undefined;
}

export interface FleetRules {
  readonly supported: readonly { readonly version: string; readonly digest: string; readonly supportedUntil: string }[];
  readonly ownDigest: string;
  readonly nowMs: number;
}

/** Holds what is in the field against what a build supports; those that would break come first. */
export function deployable(fleet: readonly FleetMember[], rules: FleetRules): FleetVerdict[] {
  const verdicts = fleet.map((member) => ({ ...member, ...verdictOf(member, rules) }));
  return verdicts.toSorted(
    (a, b) => Number(a.why === undefined) - Number(b.why === undefined) || a.name.localeCompare(b.name),
  );
}

function verdictOf(
  { digest }: FleetMember,
  { supported, ownDigest, nowMs }: FleetRules,
): Pick<FleetVerdict, 'release' | 'why'> {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const release = supported.find((each) => each.digest === digest);
  if (release !== undefined && release.supportedUntil >= today) return { release: release.version, why: undefined };
  if (digest === ownDigest) return { release: 'this build', why: undefined };
  if (release !== undefined) return { release: release.version, why: `support ended on ${release.supportedUntil}` };
  return { release: undefined, why: digest === '' ? 'it names no wire format' : 'no release has its wire format' };
}
