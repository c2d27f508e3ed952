import type { JsonValue } from '@bufbuild/protobuf';
import type { ConnectRequest } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { messageOf } from '../../services/platform/errors.ts';
import { checkGolden } from '../golden/check.ts';
import type { Candidate } from '../golden/candidate.ts';
import type { MadeChange } from '../golden/strategy-changes.ts';
import { AGENT_STATES } from '../consumers/platform-exchanges.ts';
import { frameNameOf, type MadeFrame } from '../golden/frame.ts';
import { askAgent } from '../providers/agent-exchange.ts';
import type { DoorProxy } from '../providers/door-proxy.ts';
import { ACCOUNT_STATES } from '../providers/console-states.ts';
import { hearGateway } from '../providers/gateway-stream.ts';
import { askPlatform, Patience } from '../providers/live-exchange.ts';
import { LivePlatform } from '../providers/live-platform.ts';
import { setUpState } from '../providers/states.ts';
import { type Interaction, type InteractionType, narrowPact, readPact } from '../providers/pact-file.ts';
import { type PactVerification, type Question, verificationOf } from '../providers/verification.ts';
import type { Release } from '../releases/release.ts';
import { breakingChanges } from '../schema/image.ts';
import { besideBuf } from '../schema/beside-buf.ts';
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
  /** Whether an interaction of a consumer can see what is changed; absent: each can. */
  readonly concerns?: (consumer: string, interaction: Interaction) => boolean;
  /** What becomes of the agent's answers on their way; absent: nothing. */
  readonly fromAgent?: (answer: ConnectRequest) => ConnectRequest;
}

/** What a check found in one part of what it looked at. */
export interface Part {
  readonly name: string;
  readonly looked: number;
  readonly findings: readonly Finding[];
}

/** What a check found altogether, and in each part where it looked at several. */
export interface Found {
  /** How many things were looked at. */
  readonly looked: number;
  readonly findings: readonly Finding[];
  readonly parts?: readonly Part[];
}

/** One way to find out whether a release would break. */
export interface Check {
  readonly name: string;
  readonly run: (subject: Subject, release: Release) => Promise<Found>;
}

const schemaCheck: Check = {
  name: 'schema (buf breaking, FILE, and what buf does not see)',
  run: async ({ candidate, imageFile }, release) => {
    const found = await breakingChanges(imageFile, release.imageFile);
    const common = { check: 'schema', consumer: `executor ${release.version}`, remedy: REMEDY.keep };
    const unseen = besideBuf(candidate.schema, release.schema).map((each) => ({ ...common, ...each }));
    const changed = found.map((what) => ({
      ...common,
      place: what.split(': ')[0] ?? '',
      field: /"([^"]+)"/.exec(what)?.[1] ?? '$',
      what,
    }));
    return { looked: [...release.schema.registry].length, findings: [...changed, ...unseen] };
  },
};

const goldenCheck: Check = {
  name: 'golden bytes, both ways',
  run: async ({ candidate }, release) => ({ looked: release.golden.length, findings: checkGolden(candidate, release) }),
};

const pactCheck: Check = {
  name: 'pacts',
  run: async (subject, release) => {
    const { candidate, changes, platform, door, verification, concerns = () => true } = subject;
    const frames = candidate.frames.filter(({ from }) => from === 'platform').map(({ name, json }) => [name, json]);
    const messages = { ...Object.fromEntries(frames), ...changes };
    const patience = new Patience();
    const provider = {
      setUp: (state: string) => setUpState(state, platform, door),
      answer: (question: Question) => answerOf(question, subject, patience),
    };
    const parts: Part[] = [];
    for (const pactFile of release.pactFiles) {
      const pact = await readPact(pactFile);
      const { consumer, provider: asked } = pact;
      if (pact.interactions.length === 0)
        throw new Error(`the pact of ${consumer.name} and ${asked.name} asks for nothing`);
      const interactions = pact.interactions.filter((each) => concerns(consumer.name, each));
      if (interactions.length === 0) continue;
      await using narrowed = await narrowPact(pactFile, pact, interactions);
      const request = verificationOf(narrowed.file, asked.name, interactions);
      const mismatches = await verification.verify({ ...request, messages, providerBaseUrl: door.url }, provider);
      for (const [type, own] of Map.groupBy(interactions, (each) => each.type)) {
        const found = mismatches.filter(({ interaction }) => typeOf(interaction, interactions) === type);
        const remedy = type === 'Synchronous/HTTP' ? REMEDY.http : REMEDY.send;
        parts.push({
          name: `${consumer.name} → ${asked.name}, ${FORMS[type]}`,
          looked: own.length,
          findings: found.map(({ interaction, path, what }) => ({
            check: 'pact',
            consumer: `${consumer.name} ${release.version}`,
            place: interaction,
            field: path,
            what,
            remedy,
          })),
        });
      }
    }
    const looked = parts.reduce((sum, part) => sum + part.looked, 0);
    return { looked, findings: parts.flatMap(({ findings }) => findings), parts };
  },
};

/** Types of interactions, as people call them. */
const FORMS: Readonly<Record<InteractionType, string>> = {
  'Asynchronous/Messages': 'messages',
  'Synchronous/Messages': 'questions and answers on the stream',
  'Synchronous/HTTP': 'calls',
};

/** What is said of the pact as a whole is said of what stands first in it. */
function typeOf(interaction: string, all: readonly Interaction[]): InteractionType | undefined {
  return (all.find(({ description }) => description === interaction) ?? all[0])?.type;
}

/** What the candidate answers on the stream: real code is asked, and its answer is said as the candidate says it. */
async function answerOf(question: Question, subject: Subject, patience: Patience): Promise<JsonValue> {
  const { content, description, state } = question;
  const { candidate, platform, door, wire, fromAgent } = subject;
  if (ACCOUNT_STATES.includes(state)) {
    const said = await hearGateway(description, platform, door, candidate.schema);
    return door.change.said?.(said) ?? said;
  }
  const made: MadeFrame = Object.values<string>(AGENT_STATES).includes(state)
    ? { name: '', from: 'executor', message: await askAgent(content, state, fromAgent) }
    : { name: '', from: 'platform', message: await askPlatform(content, state, platform, wire, patience) };
  return candidate.say({ ...made, name: frameNameOf(made.from, made.message) }).json;
}

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
export async function runCheck(check: Check, subject: Subject, release: Release): Promise<Found> {
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
      remedy: REMEDY.run,
    };
    return { looked: 0, findings: [finding] };
  }
}
