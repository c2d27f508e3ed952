import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from '../../services/platform/lifecycle.ts';
import type { TestServers } from '../../test/harness/servers.ts';
import { candidateOf } from '../golden/candidate.ts';
import { todaysFrames } from '../golden/make.ts';
import { saidChanges } from '../golden/strategy-changes.ts';
import { DoorProxy } from '../providers/door-proxy.ts';
import { LivePlatform } from '../providers/live-platform.ts';
import { changesOfRows } from '../providers/strategy-changes.ts';
import { PactVerification } from '../providers/verification.ts';
import { supportedReleases } from '../releases/release.ts';
import { checkGenerated } from '../schema/generated.ts';
import { buildImage, schemaOf } from '../schema/image.ts';
import { CHECKS, type Found, runCheck, type Subject } from './checks.ts';
import { checkCoverage } from './coverage.ts';
import { type Finding, REMEDY, type Verdict } from './finding.ts';

/** Today's build and what is needed to ask it; ends with the stack. */
export async function assembleSubject(servers: TestServers, stack: Stack): Promise<Subject> {
  const directory = stack.use(await mkdtemp(join(tmpdir(), 'strategos-contracts-')), (path) =>
    rm(path, { recursive: true }),
  );
  const image = await buildImage();
  const imageFile = join(directory, 'today.binpb');
  await writeFile(imageFile, image);
  const schema = schemaOf(image);
  const { frames, bodies } = await todaysFrames();
  const candidate = candidateOf(schema, [...frames, ...bodies]);
  const madeChanges = await changesOfRows(servers);
  const platform = stack.use(await LivePlatform.start(servers, { trading: true }), (opened) =>
    opened[Symbol.asyncDispose](),
  );
  const door = stack.use(await DoorProxy.start(platform.gatewayUrl), (opened) => opened[Symbol.asyncDispose]());
  const verification = stack.use(new PactVerification(), (opened) => opened[Symbol.dispose]());
  return {
    candidate,
    madeChanges,
    changes: saidChanges(schema, madeChanges),
    imageFile,
    platform,
    door,
    verification,
    servers,
  };
}

/**
 * Holds today's build against every release that is supported on `today`, such as "2026-01-31".
 * @throws Error when none is, or when a baseline is not as it was released
 */
export async function runGate(servers: TestServers, today: string): Promise<readonly Verdict[]> {
  const releases = await supportedReleases(today);
  if (releases.length === 0)
    throw new Error(
      `contracts/support.json names no release that is supported on ${today}, so that there is nothing to hold this build against`,
    );
  const stack = new Stack();
  try {
    // Consumers say what they need while providers start.
    const begun = [
      timed('this build', 'coverage: every frame has its pact', checkCoverage),
      timed('this build', 'generated code: what comes out of the protos', () => checkGenerated()),
      assembleSubject(servers, stack),
    ] as const;
    // Nothing may still be starting when the stack is stopped.
    await Promise.allSettled(begun);
    const [covered, generated, subject] = await Promise.all(begun);
    const verdicts: Verdict[] = [...covered, ...generated];
    for (const release of releases) {
      for (const check of CHECKS) {
        const found = await timed(`executor ${release.version}`, check.name, () => runCheck(check, subject, release));
        verdicts.push(...found);
      }
    }
    return verdicts;
  } finally {
    await stack.stop();
  }
}

/** A check that looks at several things gives a verdict on each, and its time is shared among them; one that looks at nothing fails. */
export async function timed(who: string, what: string, run: () => Promise<Found>): Promise<readonly Verdict[]> {
  const startMs = performance.now();
  const { looked, findings: found, parts = [] } = await run();
  const tookMs = Math.round(performance.now() - startMs);
  const findings = looked === 0 && found.length === 0 ? [nothing(who, what)] : found;
  if (parts.length === 0) return [{ who, what, looked, findings, tookMs }];
  return parts.map((part) => ({
    who,
    what: `${what}: ${part.name}`,
    looked: part.looked,
    findings: part.findings,
    tookMs: Math.round((tookMs * part.looked) / looked),
  }));
}

/** A check that has looked at nothing holds nothing. */
function nothing(who: string, what: string): Finding {
  return {
    check: what,
    consumer: who,
    place: '-',
    field: '-',
    what: 'there is nothing to look at',
    remedy: REMEDY.run,
  };
}
