import { type DescMessage, type DescMethod, fromJson, getOption, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Code } from '@connectrpc/connect';
import { request_bytes_max } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import { rawFieldFaults, rawMessageFaults } from './binary-faults.ts';
import type { Fault } from './fault.ts';
import { fieldFaults, messageFaults } from './json-faults.ts';
import { type SampleOf, sampleMessage } from './sample-request.ts';
import { placesOf, sitesAt } from './site.ts';

/** Larger than any port takes by default. */
const BYTES_TOO_MANY = 1_100_000;
const BYTES_ABOVE = 50_000;

/** Everything that can be wrong with a request of the method; some take more bytes than others. */
export function faultsOfMethod(method: DescMethod, sampleOf: SampleOf): Fault[] {
  const bytes = Math.max(BYTES_TOO_MANY, getOption(method, request_bytes_max) + BYTES_ABOVE);
  return faultsOf(method.input, sampleOf, bytes);
}

/** Everything that can be wrong with a request, found out from its descriptor alone. */
export function faultsOf(request: DescMessage, sampleOf: SampleOf, bytesTooMany = BYTES_TOO_MANY): Fault[] {
  const ofParts = placesOf(request, sampleOf).flatMap((place) => [
    ...messageFaults(place),
    ...rawMessageFaults(request, place),
    ...sitesAt(place, sampleOf).flatMap((site) => [...fieldFaults(site), ...rawFieldFaults(request, site)]),
  ]);
  return [...ofParts, ...largeMessages(request, sampleOf, bytesTooMany)];
}

/** The request itself, once for each case of its oneofs, with nothing wrong. */
export function soundRequests(request: DescMessage, sampleOf: SampleOf): Uint8Array[] {
  const cases = request.oneofs.flatMap((oneof) => oneof.fields);
  const samples = cases.length === 0 ? [undefined] : cases;
  return samples.map((chosen) => toBinary(request, fromJson(request, sampleMessage(request, sampleOf, chosen))));
}

function largeMessages(request: DescMessage, sampleOf: SampleOf, bytesTooMany: number): Fault[] {
  const about = { kind: 'too large', subject: request.name, field: undefined, code: Code.ResourceExhausted } as const;
  const json = JSON.stringify(sampleMessage(request, sampleOf)).padEnd(bytesTooMany, ' ');
  const field = new BinaryWriter().tag(2_000, WireType.LengthDelimited).bytes(new Uint8Array(bytesTooMany));
  return [
    { ...about, detail: 'blanks behind the JSON', body: { text: new TextEncoder().encode(json) } },
    { ...about, detail: 'an unknown field', body: { binary: field.finish() } },
  ];
}

/** The binary form of a fault; undefined for what the binary form cannot say. */
export function binaryOf(request: DescMessage, { body }: Fault): Uint8Array | undefined {
  if ('binary' in body) return body.binary;
  if ('text' in body) return undefined;
  try {
    return toBinary(request, fromJson(request, body.json));
  } catch (thrown) {
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}

/** The JSON form of a fault; undefined for what JSON cannot say. */
export function jsonOf({ body }: Fault): Uint8Array | undefined {
  if ('text' in body) return body.text;
  return 'json' in body ? new TextEncoder().encode(JSON.stringify(body.json)) : undefined;
}
