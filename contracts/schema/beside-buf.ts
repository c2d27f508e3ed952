import { type DescEnum, type DescMethod, getOption } from '@bufbuild/protobuf';
import { request_bytes_max, required_role, Role } from '../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Schema } from './image.ts';

/** A change that breaks somebody, and that buf takes for none. */
export interface Unseen {
  /** Whom it breaks. */
  readonly consumer: string;
  /** Full name of the service and the RPC, or of the enum. */
  readonly place: string;
  readonly field: string;
  readonly what: string;
}

/** What buf knows nothing of: options of our own, and which of two names a value has in JSON. */
export function besideBuf(today: Schema, release: Schema): Unseen[] {
  return [...release.registry].flatMap((type) => {
    if (type.kind === 'enum') return renamedInJson(type, today.registry.getEnum(type.typeName));
    const now = type.kind === 'service' ? today.registry.getService(type.typeName) : undefined;
    if (type.kind !== 'service' || now === undefined) return [];
    return type.methods.flatMap((method) => {
      const same = now.methods.find(({ name }) => name === method.name);
      return same === undefined ? [] : [...raisedRole(method, same), ...loweredLimit(method, same)];
    });
  });
}

/** A call that asks for more than it did: whoever has made it with the role that sufficed is refused. */
function raisedRole(method: DescMethod, now: DescMethod): Unseen[] {
  const [before, after] = [getOption(method, required_role), getOption(now, required_role)];
  // Without a role the gateway serves it to nobody.
  const isRaised = before !== Role.UNSPECIFIED && (after > before || after === Role.UNSPECIFIED);
  if (!isRaised) return [];
  const what =
    after === Role.UNSPECIFIED
      ? `names no role, so that nobody is served, asked for ${Role[before]}`
      : `asks for ${Role[after]}, asked for ${Role[before]}`;
  return [
    { consumer: `operators with the role ${Role[before]}`, place: placeOf(method), field: 'required_role', what },
  ];
}

/** A call that takes less than it did: whoever has sent as much as was allowed is refused. */
function loweredLimit(method: DescMethod, now: DescMethod): Unseen[] {
  const [before, after] = [getOption(method, request_bytes_max), getOption(now, request_bytes_max)];
  if (after >= before) return [];
  const consumer = `operators whose requests have up to ${before} bytes`;
  const what = `takes ${after === 0 ? 'no more than all others do' : `${after} bytes`}, took ${before}`;
  return [{ consumer, place: placeOf(method), field: 'request_bytes_max', what }];
}

function placeOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

/** Of two names of one number JSON says the one that is declared first. */
function renamedInJson(before: DescEnum, now: DescEnum | undefined): Unseen[] {
  if (now === undefined) return [];
  return Object.values(before.value).flatMap(({ number, name }) => {
    const said = now.value[number]?.name ?? name;
    const consumer = 'whoever reads the JSON';
    return said === name ? [] : [{ consumer, place: before.typeName, field: name, what: `is said as ${said}` }];
  });
}
