import type { HandlerContext } from '@connectrpc/connect';
import {
  type ValidateStrategyRequest,
  ValidateStrategyRequestSchema,
  type ValidateStrategyResponse,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { StatusError } from '../../platform/errors.ts';
import { callerOf } from '../../platform/grpc/caller.ts';
import { toJsonText } from '../domain/json-form.ts';
import { type Judgement, judge } from '../domain/judge-definition.ts';
import type { Reading } from '../domain/read-definition.ts';
import type { Asker, IndicatorCatalogue } from '../domain/neighbours.ts';
import { readSource } from '../wire/definition-source.ts';
import { definitionToProto } from '../wire/definition-to-proto.ts';
import { faultToProto } from '../wire/fault-to-proto.ts';
import { checksOf } from '../wire/request-checks.ts';
import type { StrategyHandlerDependencies } from './dependencies.ts';
import { judgeWithIndicators } from './judging.ts';
import { askerOf } from './naming.ts';

export function validateStrategy({ catalogue }: StrategyHandlerDependencies) {
  return async (
    request: ValidateStrategyRequest,
    context: HandlerContext,
  ): Promise<Pick<ValidateStrategyResponse, 'valid' | 'faults' | 'definition' | 'json'>> => {
    callerOf(context);
    const checks = checksOf(ValidateStrategyRequestSchema, request);
    if (request.source.case === undefined) {
      checks.add('source', 'is required: definition, or json, the strategy in the JSON form');
    }
    checks.throwIfAny();
    const reading = readSource(request.source);
    const { definition, faults } =
      'fault' in reading ? { faults: [reading.fault] } : await judgeOrWarn(catalogue, askerOf(context), reading);
    return {
      valid: definition !== undefined,
      faults: faults.map(faultToProto),
      ...(definition === undefined
        ? { json: '' }
        : { definition: definitionToProto(definition), json: toJsonText(definition) }),
    };
  };
}

/** Everything that can be said without the market service is said when it is away. */
async function judgeOrWarn(catalogue: IndicatorCatalogue, asker: Asker, reading: Reading): Promise<Judgement> {
  try {
    return await judgeWithIndicators(catalogue, asker, reading);
  } catch (thrown) {
    if (!(thrown instanceof StatusError) || thrown.code !== 'Unavailable') throw thrown;
    const judged = judge(reading);
    const unchecked = { field: '', description: thrown.message, warning: true };
    return { ...judged, faults: [...judged.faults, unchecked] };
  }
}
