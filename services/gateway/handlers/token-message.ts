import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  Role as ProtoRole,
  type Token as TokenMessage,
  TokenSchema,
} from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import type { Role } from '../domain/role.ts';
import type { Token } from '../domain/token.ts';

const PROTO_ROLES: Readonly<Record<Role, ProtoRole>> = {
  viewer: ProtoRole.VIEWER,
  operator: ProtoRole.OPERATOR,
  admin: ProtoRole.ADMIN,
};

/** A token as it is shown: without its secret and without the secret's digest. */
export function tokenMessage(token: Token): TokenMessage {
  const message = create(TokenSchema, {
    id: token.id,
    accountId: token.accountId,
    name: token.name,
    role: PROTO_ROLES[token.role],
    createTime: timestampFromMs(token.createTimeMs),
  });
  if (token.revokeTimeMs !== undefined) message.revokeTime = timestampFromMs(token.revokeTimeMs);
  return message;
}
