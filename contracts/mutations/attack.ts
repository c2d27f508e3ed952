import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DescMessage, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type Check, CHECKS, runCheck, type Subject } from '../gate/checks.ts';
import { candidateOf } from '../golden/candidate.ts';
import { isObject, type MadeBody, type MadeFrame } from '../golden/frame.ts';
import { saidChanges } from '../golden/strategy-changes.ts';
import type { Interaction } from '../providers/pact-file.ts';
import type { Release } from '../releases/release.ts';
import { buildImage, messageIn, type Schema, schemaOf } from '../schema/image.ts';
import { reshape } from '../schema/reshape.ts';
import { changed } from '../schema/stream.ts';
import type { OnTheWire } from '../transcripts/replay-platform.ts';
import { type Mutation, noting, type ProtoEdit } from './mutation.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What became of one mutation. */
export interface Attacked {
  /** Name of the check that turned red first; empty when none did. */
  readonly caughtBy: string;
  /** Whether it has changed anything that was looked at. */
  readonly altered: boolean;
  /** First thing that was said about it. */
  readonly said: string;
}

/**
 * Applies a mutation to a copy, and asks the checks of the gate that could see it, cheap ones first, until one turns red. That a
 * check is not asked for what an earlier one has caught hides nothing: each has mutations that only it can catch.
 */
export async function attack(
  named: Mutation,
  base: Subject,
  release: Release,
  made: readonly (MadeFrame | MadeBody)[],
): Promise<Attacked> {
  let altered = false;
  const mutation = noting(named, () => {
    altered = true;
  });
  const directory = await mkdtemp(join(tmpdir(), 'strategos-mutation-'));
  try {
    const { schema, imageFile } = await mutatedSchema(mutation.protos, directory, base);
    const candidate = candidateOf(schema, made, mutation.frames);
    const wire = wireOf(schema, mutation);
    base.door.change = mutation.door ?? {};
    const changes = saidChanges(schema, base.madeChanges, mutation.changes);
    const { agent } = mutation;
    const fromAgent = agent === undefined ? {} : { fromAgent: agent };
    const subject: Subject = {
      ...base,
      candidate,
      changes,
      imageFile,
      wire,
      concerns: (consumer, interaction) => concerns(consumer, interaction, mutation),
      ...fromAgent,
    };
    for (const check of CHECKS.filter((each) => couldSee(each, mutation))) {
      const { findings } = await runCheck(check, subject, release);
      const [first] = findings;
      if (first === undefined) continue;
      const caughtBy = check.name.split(/[:(,]/)[0]?.trim() ?? check.name;
      return { caughtBy, altered, said: `${first.place}: ${first.field}: ${first.what}` };
    }
    return { caughtBy: '', altered, said: '' };
  } finally {
    base.door.change = {};
    await rm(directory, { recursive: true });
  }
}

/** Each check looks at a part of the build, and sees a change of that part alone. */
function couldSee({ name }: Check, { protos, frames, stream, agent, changes, door }: Mutation): boolean {
  if (name.startsWith('schema')) return protos !== undefined;
  if (name.startsWith('golden')) return protos !== undefined || frames !== undefined;
  if (name.startsWith('pacts'))
    return [protos, frames, stream, agent, changes, door].some((part) => part !== undefined);
  // Today's own agent stands on no mutated ground, and conversations are held without the gateway.
  return !name.includes('today’s agent') && [protos, frames, stream].some((part) => part !== undefined);
}

/** A change of one part of the build shows in the needs of those who hear that part. */
function concerns(consumer: string, interaction: Interaction, mutation: Mutation): boolean {
  const { protos, frames, stream, agent, changes, door, call } = mutation;
  const isCall = interaction.type === 'Synchronous/HTTP';
  // Calls are answered by the services that run, which know nothing of mutated protos; the checks before see those whole.
  if (protos !== undefined) return !isCall;
  if (door !== undefined) {
    // What is about all calls is shown by those of executors and of the command line.
    return call === undefined ? isCall && consumer !== 'console' : consumer === 'console' && isAbout(interaction, call);
  }
  if (changes !== undefined) return consumer === 'evaluator';
  if (agent !== undefined) return consumer === 'platform';
  const isAnswered = interaction.type === 'Synchronous/Messages';
  if (stream !== undefined) return consumer === 'executor' && isAnswered;
  return frames !== undefined && !isCall && (consumer === 'executor' || consumer === 'platform');
}

function isAbout({ description, request }: Interaction, call: string): boolean {
  return request?.path?.endsWith(`/${call}`) ?? description === call;
}

async function mutatedSchema(
  edits: readonly ProtoEdit[] | undefined,
  directory: string,
  base: Subject,
): Promise<{ readonly schema: Schema; readonly imageFile: string }> {
  if (edits === undefined) return { schema: base.candidate.schema, imageFile: base.imageFile };
  await cp(join(ROOT, 'buf.yaml'), join(directory, 'buf.yaml'));
  await cp(join(ROOT, 'proto'), join(directory, 'proto'), { recursive: true, filter: isSource });
  for (const { file, from, to } of edits) {
    const path = join(directory, 'proto', 'strategos', file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly one ${JSON.stringify(from)}`);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  const image = await buildImage(directory);
  const imageFile = join(directory, 'image.binpb');
  await writeFile(imageFile, image);
  return { schema: schemaOf(image), imageFile };
}

function isSource(path: string): boolean {
  return !path.includes('/gen');
}

/** The mutated platform on the wire, made of today's: its frames in the mutated form, and frames of agents as it reads them. */
function wireOf(schema: Schema, { frames: alter, stream }: Mutation): OnTheWire {
  const spoken = messageIn(schema, ConnectResponseSchema.typeName);
  const heard = messageIn(schema, ConnectRequestSchema.typeName);
  const altered = (message: ConnectResponse): ConnectResponse => {
    const shaped = reshape(message, ConnectResponseSchema, spoken);
    const json = toJson(spoken, shaped);
    const different =
      alter === undefined || !isObject(json)
        ? shaped
        : fromJson(spoken, alter(json, { name: '', from: 'platform' }), { ignoreUnknownFields: true });
    return fromBinary(ConnectResponseSchema, toBinary(spoken, different));
  };
  return {
    fromPlatform: (frames) => {
      const said = changed(frames, altered);
      return stream?.(said) ?? said;
    },
    toPlatform: (frame) => read(heard, frame),
  };
}

/** The frame as the mutated platform takes it, and as today's does then. */
function read(heard: DescMessage, frame: ConnectRequest): ConnectRequest {
  const taken = reshape(fromBinary(heard, toBinary(ConnectRequestSchema, frame)), heard, ConnectRequestSchema);
  const today: DescMessage = ConnectRequestSchema;
  return fromBinary(ConnectRequestSchema, toBinary(today, taken));
}
