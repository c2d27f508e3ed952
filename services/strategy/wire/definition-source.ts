import type { StrategyDefinition } from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { Fault } from '../domain/definition.ts';
import { readJson } from '../domain/parse-definition.ts';
import { type Reading, readDefinition } from '../domain/read-definition.ts';
import { definitionTree, protoPath } from './definition-from-proto.ts';

/** A definition as a request brings it. */
export type DefinitionSource =
  | { readonly case: 'definition'; readonly value: StrategyDefinition }
  | { readonly case: 'json'; readonly value: string }
  | { readonly case: undefined; readonly value?: undefined };

/** What a request's definition says, or why nothing could be read at all. */
export type SourceReading = Reading | { readonly fault: Fault };

export function readSource(source: DefinitionSource): SourceReading {
  switch (source.case) {
    case 'definition':
      return readDefinition(definitionTree(source.value));
    case 'json':
      return readJson(source.value);
    case undefined:
      return {
        fault: {
          field: '',
          description: 'is required: definition, or json, the strategy in the JSON form',
          warning: false,
        },
      };
    default:
      return source satisfies never;
  }
}

/** Where a fault stands in the request: messages in proto notation, the JSON form by its own paths. */
export function violationPath(source: DefinitionSource, field: string): string {
  if (source.case === undefined) return 'source';
  if (source.case === 'json') return field === '' ? 'json' : field;
  return protoPath(field);
}
