import type { FieldViolation } from '../../platform/errors.ts';

const NAME_PATTERN = /^[a-z0-9._-]{1,63}$/;
/** Ids of tokens are 32 hexadecimal digits; a name of that form could be mistaken for another token's id. */
const ID_PATTERN = /^[0-9a-f]{32}$/;

/** What is wrong with the name of a token or the id of an account; empty when nothing is. `field` is its path in the request. */
export function nameViolations(field: string, name: string): FieldViolation[] {
  if (name === '') return [{ field, description: 'is required' }];
  if (!NAME_PATTERN.test(name)) {
    return [
      { field, description: `must be 1 to 63 of a–z, 0–9, '-', '_', '.', got ${JSON.stringify(name.slice(0, 80))}` },
    ];
  }
  if (ID_PATTERN.test(name)) return [{ field, description: 'must not look like an id (32 hexadecimal digits)' }];
  return [];
}

/** What is wrong with the name or id by which a token is named; empty when there could be such a token. */
export function tokenReferenceViolations(field: string, nameOrId: string): FieldViolation[] {
  if (nameOrId === '') return [{ field, description: 'is required: the id or name of a token' }];
  if (NAME_PATTERN.test(nameOrId)) return [];
  return [
    { field, description: `is neither the name nor the id of a token, got ${JSON.stringify(nameOrId.slice(0, 80))}` },
  ];
}
