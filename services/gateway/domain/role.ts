import { StatusError } from '../../platform/errors.ts';

/** What a token may do, from least to most; each role includes those before it. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

export function roleIncludes(actual: Role, required: Role): boolean {
  return ROLES.indexOf(actual) >= ROLES.indexOf(required);
}

/** @throws StatusError PERMISSION_DENIED when `actual` may not do what asks for `required`. `rpc` is named in the message. */
export function requireRole(actual: Role, required: Role, rpc: string): void {
  if (roleIncludes(actual, required)) return;
  throw new StatusError(
    'PermissionDenied',
    'ROLE_INSUFFICIENT',
    `${rpc} asks for the role ${required}, this token has ${actual}; use a token of that role`,
    { metadata: { role: actual, required } },
  );
}
