import { type Client, Code, ConnectError } from '@connectrpc/connect';
import type { BacktestStrategy } from '../../../proto/gen/strategos/session/v1/backtest_service_pb.js';
import type { StrategyService } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { invalidFields, messageOf, notFound, unavailable } from '../../platform/errors.ts';
import type { Participant } from '../engine/backtest.ts';
import { readParticipant } from '../engine/read-participant.ts';
import { definitionJson } from '../wire/definition-json.ts';

interface Loaded {
  readonly id: string;
  readonly json: string;
  readonly revision: number;
}

/**
 * The strategies of a request as they can be run.
 * @throws StatusError INVALID_ARGUMENT with every fault, NOT_FOUND, UNAVAILABLE.
 */
export async function loadParticipants(
  strategies: readonly BacktestStrategy[],
  symbol: string,
  stored: Client<typeof StrategyService> | undefined,
  headers: Record<string, string>,
): Promise<Participant[]> {
  const loaded = await Promise.all(strategies.map((each, at) => load(each, at, stored, headers)));
  const participants: Participant[] = [];
  const faults = loaded.flatMap(({ id, json, revision }, at) => {
    const { definition, faults: found } = readParticipant(json);
    if (definition === undefined) {
      const form = strategies[at]?.source.case ?? 'json';
      return found
        .filter(({ warning }) => !warning)
        .map(({ field, description }) => ({ field: pathOf(at, form, field), description }));
    }
    const given = strategies[at]?.instanceId ?? '';
    const instanceId = given === '' ? `${definition.strategyName}@${symbol}` : given;
    participants.push({ instanceId, strategyId: id, definition, revision });
    return [];
  });
  const twice = participants.find(({ instanceId }, at) =>
    participants.slice(0, at).some((earlier) => earlier.instanceId === instanceId),
  );
  if (twice !== undefined) {
    faults.push({ field: 'strategies', description: `"${twice.instanceId}" is there twice; give each an instance_id` });
  }
  if (faults.length > 0) throw invalidFields(faults);
  return participants;
}

async function load(
  { source, revision }: BacktestStrategy,
  at: number,
  stored: Client<typeof StrategyService> | undefined,
  headers: Record<string, string>,
): Promise<Loaded> {
  switch (source.case) {
    case 'definition':
      return { id: '', json: definitionJson(source.value), revision: 1 };
    case 'json':
      return { id: '', json: source.value, revision: 1 };
    case 'strategy':
      return fetchStored(source.value, revision, stored, headers);
    case undefined:
      throw invalidFields([{ field: `strategies[${at}].source`, description: 'set definition, json or strategy' }]);
    default:
      throw new Error(`no such source: ${String(source satisfies never)}`);
  }
}

async function fetchStored(
  strategy: string,
  revision: bigint,
  stored: Client<typeof StrategyService> | undefined,
  headers: Record<string, string>,
): Promise<Loaded> {
  if (stored === undefined) {
    throw unavailable(
      'strategy',
      'this service knows no strategy service; name its replicas in STRATEGOS_STRATEGY_URLS',
    );
  }
  try {
    const response = await stored.getStrategy({ strategy, revision }, { headers });
    const found = response.strategy;
    if (found === undefined) throw notFound('strategy', strategy);
    return { id: found.id, json: found.json, revision: Number(found.revision) };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.NotFound) throw notFound('strategy', strategy);
    if (error.code !== Code.Unavailable) throw thrown;
    throw unavailable('strategy', `the strategy service cannot be reached: ${messageOf(thrown)}`, thrown);
  }
}

/** Messages in proto notation, the JSON form by its own paths. */
function pathOf(at: number, form: string, field: string): string {
  const whole = `strategies[${at}].${form}`;
  if (field === '') return whole;
  const inner = form === 'json' ? field : field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `${whole}.${inner}`;
}
