import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { invalidFields, messageOf, StatusError } from '../../platform/errors.ts';
import { checkBinary, checkJson } from './check-message.ts';
import type { WireForm } from './wire-form.ts';

export interface BodyLimits {
  /** Largest message, compressed or not. */
  readonly requestBytesMax: number;
  /** From the first read to the last byte. */
  readonly requestMs: number;
}

const ENVELOPE_BYTES = 5;
const COMPRESSED_FLAG = 1;
/** A body that is too long is read on and thrown away this many times over, so that its sender gets to see the answer. */
const DISCARD_FACTOR = 4;

/**
 * The body of a unary or server-streaming request, read within bounds and checked before the protocol handler parses it, because
 * the handler's own refusal names no fields. Yields the message as it came, uncompressed. Nothing is read before the first
 * `next()`, that is, before the caller is known.
 * @throws StatusError INVALID_ARGUMENT with field violations, RESOURCE_EXHAUSTED (MESSAGE_TOO_LARGE), DEADLINE_EXCEEDED when
 *   the body does not arrive in time; ConnectError CANCELED when its sender goes away.
 */
export async function* checkedBody(
  method: DescMethod,
  form: WireForm,
  header: Headers,
  source: AsyncIterable<Uint8Array>,
  limits: BodyLimits,
): AsyncGenerator<Uint8Array> {
  const bytesMax = limits.requestBytesMax + (form.enveloped ? ENVELOPE_BYTES : 0);
  const raw = await readAll(source, bytesMax, Number(header.get('content-length') ?? 0), limits);
  const check = form.json ? checkJson : checkBinary;
  const compressed = isGzip(header.get(form.encodingHeader));
  if (!form.enveloped) {
    const message = compressed ? await inflated(raw, limits.requestBytesMax) : raw;
    check(method.input, message);
    yield message;
    return;
  }
  const envelope = soleEnvelope(raw, method);
  const message =
    (envelope.flags & COMPRESSED_FLAG) !== 0 && compressed
      ? await inflated(envelope.data, limits.requestBytesMax)
      : envelope.data;
  check(method.input, message);
  const prefix = new Uint8Array(ENVELOPE_BYTES);
  prefix[0] = compressed ? envelope.flags & ~COMPRESSED_FLAG : envelope.flags;
  new DataView(prefix.buffer).setUint32(1, message.length);
  yield prefix;
  yield message;
}

/** Compression that this file undoes, so that the protocol handler must not; other names are left for the handler to refuse. */
export function isGzip(encoding: string | null): boolean {
  return encoding?.toLowerCase() === compressionGzip.name;
}

function soleEnvelope(raw: Uint8Array, method: DescMethod): { readonly flags: number; readonly data: Uint8Array } {
  if (raw.length < ENVELOPE_BYTES)
    throw malformed(`the request ends before its message; ${method.name} takes exactly one`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const length = view.getUint32(1);
  const rest = raw.length - ENVELOPE_BYTES;
  if (rest < length) throw malformed(`the request ends in the middle of its message: ${rest} of ${length} bytes came`);
  if (rest > length) throw malformed(`${rest - length} bytes follow the message; ${method.name} takes exactly one`);
  return { flags: view.getUint8(0), data: raw.subarray(ENVELOPE_BYTES) };
}

function malformed(description: string): StatusError {
  return invalidFields([{ field: '(message)', description }]);
}

async function inflated(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return await compressionGzip.decompress(new Uint8Array(bytes), bytesMax);
  } catch (thrown) {
    if (ConnectError.from(thrown).code === Code.ResourceExhausted) throw tooLarge(bytesMax);
    throw malformed(`the body is not gzip: ${messageOf(thrown)}`);
  }
}

function tooLarge(bytesMax: number): StatusError {
  return new StatusError(
    'ResourceExhausted',
    'MESSAGE_TOO_LARGE',
    `the request is larger than ${bytesMax} bytes; send less at a time`,
    { metadata: { bytes_max: String(bytesMax) } },
  );
}

async function readAll(
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
  announcedBytes: number,
  limits: BodyLimits,
): Promise<Uint8Array> {
  const discardMax = bytesMax * DISCARD_FACTOR;
  if (announcedBytes > discardMax) throw tooLarge(limits.requestBytesMax);
  const deadline = timeLimit(limits.requestMs);
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), deadline.passed]);
      if (next.done === true) break;
      bytes += next.value.length;
      if (bytes <= bytesMax) chunks.push(next.value);
      else if (bytes > discardMax) break;
    }
  } catch (thrown) {
    throw thrown instanceof StatusError ? thrown : senderGone(thrown);
  } finally {
    deadline.cancel();
  }
  if (bytes > bytesMax) throw tooLarge(limits.requestBytesMax);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function senderGone(thrown: unknown): ConnectError {
  return new ConnectError(
    'the caller went away before its request was complete',
    Code.Canceled,
    undefined,
    undefined,
    thrown,
  );
}

function timeLimit(withinMs: number): { readonly passed: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(
      new StatusError(
        'DeadlineExceeded',
        'DEADLINE_EXCEEDED',
        `the request did not arrive whole within ${withinMs} ms`,
      ),
    );
  }, withinMs);
  return { passed: promise, cancel: () => clearTimeout(timer) };
}
