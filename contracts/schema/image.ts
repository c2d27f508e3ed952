import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createFileRegistry, type DescMessage, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { messageOf } from '../../services/platform/errors.ts';

/** The file whose messages platform and executors say to each other; its imports belong to it. */
const LINK_FILE = 'strategos/command/v1/executor_link_service.proto';
const BUF = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A wire format as bytes that tools compare, and as descriptors that read and write messages. */
export interface Schema {
  readonly image: Uint8Array;
  readonly registry: FileRegistry;
}

/**
 * Builds protos into a descriptor image. `directory` holds `buf.yaml` and `proto/`; default: this repository.
 * @throws Error with buf's own words when they do not compile
 */
export async function buildImage(directory = ROOT): Promise<Uint8Array> {
  try {
    const { stdout } = await promisify(execFile)(BUF, ['build', '--exclude-source-info', '-o', '-#format=binpb'], {
      cwd: directory,
      encoding: 'buffer',
      maxBuffer: 16 * 1_048_576,
    });
    return stdout;
  } catch (thrown) {
    throw new Error(`the protos do not compile: ${stderrOf(thrown)}`, { cause: thrown });
  }
}

/** The descriptors of an image. */
export function schemaOf(image: Uint8Array): Schema {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  if (registry.getFile(LINK_FILE) === undefined) throw new Error(`the image holds no ${LINK_FILE}`);
  return { image, registry };
}

export async function readSchema(file: string): Promise<Schema> {
  return schemaOf(await readFile(file));
}

/** @throws Error naming the message that the wire format lacks */
export function messageIn({ registry }: Pick<Schema, 'registry'>, typeName: string): DescMessage {
  const found = registry.getMessage(typeName);
  if (found === undefined) throw new Error(`there is no message ${typeName}`);
  return found;
}

/** What is looked for, said here: an exception in `buf.yaml` is a convenience of editors, and weakens no gate. */
const RULES = JSON.stringify({ version: 'v2', breaking: { use: ['FILE'] } });

/**
 * What buf finds broken (category FILE) between two images; empty when nothing is. `directory` is where buf runs; default:
 * this repository.
 */
export async function breakingChanges(
  todayFile: string,
  releaseFile: string,
  directory = ROOT,
): Promise<readonly string[]> {
  const images = [todayFile, '--against', releaseFile];
  try {
    await promisify(execFile)(BUF, ['breaking', ...images, '--config', RULES, '--error-format=json'], {
      cwd: directory,
    });
    return [];
  } catch (thrown) {
    const lines = stdoutOf(thrown)
      .split('\n')
      .filter((line) => line.startsWith('{'));
    if (lines.length === 0) throw new Error(`buf breaking failed: ${stderrOf(thrown)}`, { cause: thrown });
    return lines.map(sentenceOf);
  }
}

function sentenceOf(line: string): string {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null || !('message' in parsed)) return line;
  const path = 'path' in parsed ? `${String(parsed.path)}: ` : '';
  return `${path}${String(parsed.message)}`;
}

function stdoutOf(thrown: unknown): string {
  return thrown instanceof Error && 'stdout' in thrown ? String(thrown.stdout) : '';
}

/** What a process that failed has said about it; where it said nothing, how it ended. */
export function stderrOf(thrown: unknown): string {
  const said = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : '';
  return said === '' ? messageOf(thrown) : said;
}
