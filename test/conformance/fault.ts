import { Code } from '@connectrpc/connect';
import type { JsonObject } from '@bufbuild/protobuf';

/** What can be wrong with a request, one thing at a time. */
export type FaultKind =
  | 'renamed'
  | 'unknown'
  | 'mistyped'
  | 'missing'
  | 'out of range'
  | 'wrong enum'
  | 'misnamed enum'
  | 'unspecified'
  | 'oversized'
  | 'control characters'
  | 'not UTF-8'
  | 'not an id'
  | 'junk token'
  | 'not a decimal'
  | 'not finite'
  | 'not a symbol'
  | 'not a series'
  | 'bad span'
  | 'bad time'
  | 'two cases'
  | 'broken framing'
  | 'unknown name'
  | 'too large';

/** One spoiled request. */
export interface Fault {
  readonly kind: FaultKind;
  /** "PriceBand.min_price": what the list of exceptions names. */
  readonly subject: string;
  /** What was done to it, for the name of the case. */
  readonly detail: string;
  /** As JSON, for every wire that can carry it, or as the bytes of the binary form. */
  readonly body: { readonly json: JsonObject } | { readonly text: Uint8Array } | { readonly binary: Uint8Array };
  /** The refusal must name this field or one within it; undefined where the code says it all. */
  readonly field: string | undefined;
  readonly code: Code;
}

/** True when the refusal names the field at `path`, one within it, or one of its entries. */
export function namesField(fields: readonly string[], path: string | undefined): boolean {
  if (path === undefined) return true;
  return fields.some((field) => field === path || ['.', '[', ' '].some((next) => field.startsWith(`${path}${next}`)));
}

export const INVALID = Code.InvalidArgument;
