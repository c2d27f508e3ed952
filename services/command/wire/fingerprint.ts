import { hash } from 'node:crypto';
import type { IssueOrder } from '../domain/issue.ts';

/** Everything that makes two requests the same wish; the request_id itself is what they are compared under. */
export type FingerprintParts = Pick<
  IssueOrder,
  'executorId' | 'parameters' | 'preconditions' | 'retryOf' | 'lane' | 'attemptsMax' | 'notAfterMs' | 'spans'
>;

/**
 * SHA-256 of what was asked, as asked: defaults are not filled in, so a release that changes one does not turn a repeat into
 * another body. An executor is its id, whether it was named by name or id.
 */
export function fingerprint(parts: FingerprintParts): Buffer {
  const { spans } = parts;
  const canonical = [
    'v1',
    parts.executorId,
    base64(parts.parameters),
    spans.deliverWithinMs ?? null,
    spans.receiveWithinMs ?? null,
    spans.startWithinMs ?? null,
    spans.progressWithinMs ?? null,
    spans.finishWithinMs ?? null,
    parts.notAfterMs,
    parts.preconditions === null ? null : base64(parts.preconditions),
    parts.lane,
    parts.attemptsMax,
    parts.retryOf,
  ];
  return hash('sha256', JSON.stringify(canonical), 'buffer');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
