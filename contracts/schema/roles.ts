import { getOption } from '@bufbuild/protobuf';
import { required_role, Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Schema } from './image.ts';

/** A call that asks for more than it did: whoever has made it with the role that sufficed is refused. */
export interface RaisedRole {
  /** Full name of the service and the RPC. */
  readonly rpc: string;
  readonly from: string;
  readonly to: string;
}

/** RPCs of a release for which `today` wants a higher role; buf knows nothing of roles. */
export function raisedRoles(today: Schema, release: Schema): RaisedRole[] {
  return [...release.registry].flatMap((type) => {
    const now = type.kind === 'service' ? today.registry.getService(type.typeName) : undefined;
    if (type.kind !== 'service' || now === undefined) return [];
    return type.methods.flatMap((method) => {
      const same = now.methods.find(({ name }) => name === method.name);
      if (same === undefined) return [];
      const [before, after] = [getOption(method, required_role), getOption(same, required_role)];
      if (after <= before) return [];
      return [{ rpc: `${type.typeName}/${method.name}`, from: Role[before], to: Role[after] }];
    });
  });
}
