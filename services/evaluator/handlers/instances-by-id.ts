import type { Instance } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import { notFound } from '../../platform/errors.ts';
import type { InstanceBook } from '../domain/instance-book.ts';
import type { FieldChecks } from '../wire/field-checks.ts';
import { instanceToProto } from '../wire/instance-to-proto.ts';

const INSTANCES_MAX = 1_000;

export function checkInstanceIds(ids: readonly string[], checks: FieldChecks): void {
  checks.count('instance_ids', ids.length, INSTANCES_MAX);
  for (const [i, id] of ids.slice(0, INSTANCES_MAX).entries()) {
    checks.text(`instance_ids[${i}]`, id, { required: true });
  }
}

/** The instances as they are now, in request order. @throws NOT_FOUND naming the first that the account does not have. */
export async function presentInstances(
  book: InstanceBook,
  accountId: string,
  ids: readonly string[],
): Promise<Instance[]> {
  const rows = await book.getMany(accountId, ids);
  return ids.map((id) => {
    const row = rows.get(id);
    if (row === undefined) throw notFound('instance', id);
    return instanceToProto(row);
  });
}
