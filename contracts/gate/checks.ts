import type { JsonValue } from '@bufbuild/protobuf';
import { messageOf } from '../../services/platform/errors.ts';
import { checkGolden } from '../golden/check.ts';
import type { Candidate } from '../golden/candidate.ts';
import type { MadeChange } from '../golden/strategy-changes.ts';
import type { DoorProxy } from '../providers/door-proxy.ts';
import { LivePlatform } from '../providers/live-platform.ts';
import { setUpState } from '../providers/states.ts';
import { type PactVerification, readPact } from '../providers/verification.ts';
import type { Release } from '../releases/release.ts';
import { breakingChanges } from '../schema/image.ts';
import type { TestServers } from '../../test/harness/servers.ts';
import { replayToExecutor } from '../transcripts/replay-executor.ts';
import { type OnTheWire, replayToPlatform } from '../transcripts/replay-platform.ts';
import { type Finding, REMEDY } from './finding.ts';

/** What the checks work with: the build that wants to go out, and the real services that answer for it. */
export interface Subject {
  readonly candidate: Candidate;
  /** What the strategy service says of real rows, and the JSON in which the candidate says it. */
  readonly madeChanges: readonly MadeChange[];
  readonly changes: Readonly<Record<string, JsonValue>>;
  /** The candidate's descriptor image, on disk. */
  readonly imageFile: string;
  readonly platform: LivePlatform;
  readonly door: DoorProxy;
  readonly verification: PactVerification;
  readonly servers: TestServers;
  /** Stands between the platform and an older agent; absent: nothing does. */
  readonly wire?: OnTheWire;
}

/** One way to find out whether a release would break. */
export interface Check {
  readonly name: string;
  readonly run: (
    subject: Subject,
    release: Release,
  ) => Promise<{ readonly looked: number; readonly findings: readonly Finding[] }>;
}

const schemaCheck: Check = {
  name: 'schema (buf breaking, FILE)',
  run: async ({ imageFile }, release) => {
    const found = await breakingChanges(imageFile, release.imageFile);
    return {
      looked: [...release.schema.registry].length,
      findings: found.map((what) => ({
        check: 'schema',
        consumer: `executor ${release.version}`,
        place: what.split(': ')[0] ?? '',
        field: /"([^"]+)"/.exec(what)?.[1] ?? '$',
        what,
        remedy: REMEDY.keep,
      })),
    };
  },
};

const goldenCheck: Check = {
  name: 'golden bytes, both ways',
  run: async ({ candidate }, release) => ({ looked: release.golden.length, findings: checkGolden(candidate, release) }),
};

const pactCheck: Check = {
  name: 'pacts',
  run: async ({ candidate, changes, platform, door, verification }, release) => {
    const frames = candidate.frames.filter(({ from }) => from === 'platform').map(({ name, json }) => [name, json]);
    const messages = { ...Object.fromEntries(frames), ...changes };
    const findings: Finding[] = [];
    let looked = 0;
    for (const pactFile of release.pactFiles) {
      const { consumer, provider, interactions } = await readPact(pactFile);
      looked += interactions.length;
      const states = new Set(interactions.flatMap(({ providerStates = [] }) => providerStates.map(({ name }) => name)));
      const mismatches = await verification.verify(
        {
          provider: provider.name,
          pactFile,
          states: [...states],
          messages,
          providerBaseUrl: door.url,
        },
        (state) => setUpState(state, platform, door),
      );
      for (const { interaction, path, what } of mismatches) {
        const http = interactions.some(({ description, type }) => description === interaction && type.includes('HTTP'));
        findings.push({
          check: 'pact',
          consumer: `${consumer.name} ${release.version}`,
          place: interaction,
          field: path,
          what,
          remedy: http ? REMEDY.http : REMEDY.send,
        });
      }
    }
    return { looked, findings };
  },
};

const platformTranscripts: Check = {
  name: 'transcripts: its agent, today’s platform',
  run: async ({ platform, servers, wire }, release) => {
    const findings = await Promise.all(
      release.transcripts.map(async (transcript) => {
        const stops = transcript.steps.some((step) => 'platform' in step);
        const options = { release: release.schema, digest: release.digest, ...(wire === undefined ? {} : { wire }) };
        const failed = stops
          ? await withOwn(servers, (own) => replayToPlatform(transcript, { ...options, platform: own }))
          : await replayToPlatform(transcript, { ...options, platform });
        return stepFinding(failed, `executor ${release.version}`, transcript.name);
      }),
    );
    return { looked: release.transcripts.length, findings: findings.flat() };
  },
};

const executorTranscripts: Check = {
  name: 'transcripts: today’s agent, its platform',
  run: async (_, release) => {
    const findings = await Promise.all(
      release.transcripts.map(async (transcript) =>
        stepFinding(await replayToExecutor(transcript, release.schema), `platform ${release.version}`, transcript.name),
      ),
    );
    return { looked: release.transcripts.length, findings: findings.flat() };
  },
};

/** Cheap ones first. */
export const CHECKS: readonly Check[] = [schemaCheck, goldenCheck, pactCheck, platformTranscripts, executorTranscripts];

async function withOwn<T>(servers: TestServers, act: (platform: LivePlatform) => Promise<T>): Promise<T> {
  await using platform = await LivePlatform.start(servers);
  return await act(platform);
}

function stepFinding(failed: string | undefined, consumer: string, transcript: string): Finding[] {
  if (failed === undefined) return [];
  const field = /: (\$[^ ]*) is /.exec(failed)?.[1] ?? 'order of frames';
  return [{ check: 'transcript', consumer, place: transcript, field, what: failed, remedy: REMEDY.order }];
}

/** A check that cannot be carried out is a failure too, not a pass. */
export async function runCheck(check: Check, subject: Subject, release: Release) {
  try {
    return await check.run(subject, release);
  } catch (thrown) {
    const what = `the check itself failed: ${messageOf(thrown)}`;
    const finding = {
      check: check.name,
      consumer: `executor ${release.version}`,
      place: '-',
      field: '-',
      what,
      remedy: REMEDY.behave,
    };
    return { looked: 0, findings: [finding] };
  }
}
