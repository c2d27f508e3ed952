import { CommandDeliverySchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { CommandCase } from './adapter.ts';

const FIELDS = CommandDeliverySchema.oneofs.find((oneof) => oneof.name === 'kind')?.fields ?? [];
const NAME_OF_CASE = new Map(FIELDS.map((field) => [field.localName, field.name]));

/** Names of all kinds that this build knows, as on the wire and in configuration: `open_position`. */
export const KIND_NAMES: readonly string[] = FIELDS.map((field) => field.name);

/** The wire name of a kind's case: `open_position` for `openPosition`; empty for none. */
export function kindName(commandCase: CommandCase | undefined): string {
  return commandCase === undefined ? '' : (NAME_OF_CASE.get(commandCase) ?? '');
}
