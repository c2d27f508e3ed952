import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  IssueCommandRequestSchema,
  IssueCommandsRequestSchema,
  ListCommandsRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { PollCommandsResponseSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { CreateExecutorRequestSchema } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { jsonFaults, refusal } from './json-faults.ts';

const open: JsonObject = { executor: 'vps-1', openPosition: { symbol: 'BTCUSDT', side: 'SIDE_BUY', quantity: '1' } };

describe('jsonFaults', () => {
  test('says nothing of a message that is fine, in either naming', () => {
    expect(jsonFaults(IssueCommandRequestSchema, open)).toEqual([]);
    expect(jsonFaults(IssueCommandRequestSchema, { executor: 'x', open_position: { stop_loss_price: '1' } })).toEqual(
      [],
    );
  });

  test('names a renamed field, where it stands and what was meant', () => {
    const faults = jsonFaults(IssueCommandRequestSchema, {
      ...open,
      requestID: 'a',
      openPosition: { simbol: 'BTCUSDT' },
    });
    expect(faults.map((fault) => fault.field)).toEqual(['open_position.simbol', 'requestID']);
    expect(faults[0]?.description).toContain('did you mean "symbol"?');
    expect(faults[1]?.description).toContain('did you mean "requestId"?');
  });

  test('lists the fields there are when nothing is near', () => {
    const [fault] = jsonFaults(IssueCommandRequestSchema, { payload: {} });
    expect(fault?.description).not.toContain('did you mean');
    expect(fault?.description).toContain('openPosition');
  });

  test('lists several faults at once, with types, enum names and places in lists and maps', () => {
    const faults = jsonFaults(IssueCommandsRequestSchema, {
      requests: [
        open,
        { executor: 7, openPosition: { side: 'BUY', quantity: 1.5 }, deadlines: { deliverWithin: '5 min' } },
        'Ping',
        { executor: 'a', attemptsMax: 'three', ping: {}, stopAll: {} },
      ],
    });
    expect(Object.fromEntries(faults.map((fault) => [fault.field, fault.description]))).toEqual({
      'requests[1].executor': 'expected a string, got the number 7',
      'requests[1].open_position.side': 'unknown Side "BUY", did you mean "SIDE_BUY"?; known are SIDE_BUY, SIDE_SELL',
      'requests[1].open_position.quantity': 'expected a string, got the number 1.5',
      'requests[1].deadlines.deliver_within': 'expected a duration in seconds such as "1.5s", got "5 min"',
      'requests[2]': 'expected an object, got "Ping"',
      'requests[3].attempts_max': 'expected a whole number of 32 bits, got "three"',
      'requests[3].stop_all': 'only one of kind may be set, and ping is',
    });
  });

  test('checks maps by entry and enums in lists', () => {
    expect(jsonFaults(CreateExecutorRequestSchema, { name: 'a', labels: { zone: 1 } })).toEqual([
      { field: 'labels["zone"]', description: 'expected a string, got the number 1' },
    ]);
    const [fault] = jsonFaults(ListCommandsRequestSchema, { filter: { states: ['COMMAND_STATE_SENT', 'pending'] } });
    expect(fault?.field).toBe('filter.states[1]');
    expect(fault?.description).toContain('did you mean "COMMAND_STATE_PENDING"?');
  });

  test('a field given under both its names is one fault', () => {
    const faults = jsonFaults(IssueCommandRequestSchema, { request_id: 'a', requestId: 'b' });
    expect(faults).toEqual([{ field: 'request_id', description: 'given twice, as request_id and requestId' }]);
  });

  test('stops listing at sixteen', () => {
    const unknown = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`field${index}`, 1]));
    expect(jsonFaults(IssueCommandRequestSchema, unknown)).toHaveLength(16);
  });

  // The walk explains what protobuf-es refuses; if the two ever disagreed, a fault would be refused without a reason.
  test('finds a fault exactly when protobuf-es refuses', () => {
    const leaf = fc.oneof(
      fc.constantFrom<JsonValue>(null, 'SIDE_BUY', '1.5s', '2024-01-01T00:00:00Z', {}, [], true, 'vps-1', '12', 3),
      fc.integer(),
      fc.string({ maxLength: 6 }),
    );
    const keys = [
      'executor',
      'requestId',
      'request_id',
      'openPosition',
      'open_position',
      'side',
      'symbol',
      'quantity',
      'deadlines',
      'deliverWithin',
      'attemptsMax',
      'lane',
      'ping',
      'payload',
      'requests',
      'frames',
      'welcome',
      'streamEpoch',
      'notAfter',
      'preconditions',
      'priceBand',
      'minPrice',
      'strategyRevision',
      'labels',
      'commands',
      'overtakes',
      'heartbeatInterval',
    ];
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 4 }),
      ),
    }));
    const schemas = [
      IssueCommandsRequestSchema,
      IssueCommandRequestSchema,
      PollCommandsResponseSchema,
      CreateExecutorRequestSchema,
    ];
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...schemas),
        fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 }),
        (schema, json) => {
          const isRefused = refusal(schema, json) !== undefined;
          if (isRefused) refused++;
          expect(jsonFaults(schema, json).length > 0).toBe(isRefused);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(refused).toBeGreaterThan(100);
    expect(() => fromJson(IssueCommandRequestSchema, open)).not.toThrow();
  });

  test('a message of nothing but unknown fields costs no more than the faults that are listed', () => {
    const many: JsonObject = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1]));
    const before = process.cpuUsage();
    expect(jsonFaults(IssueCommandRequestSchema, many)).toHaveLength(16);
    // Of this process: the clock would measure its neighbours.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_500);
  });
});
