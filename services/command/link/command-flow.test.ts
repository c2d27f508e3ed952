import { describe, expect, test } from 'vitest';
import { stateOf, withOneSent, written } from '../../../test/harness/flow-scenes.ts';
import { FlowWorld, settled } from '../../../test/harness/flow-world.ts';
import { sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { EVENTS } from '../../../test/harness/sample-lives.ts';

/** What the log tells of answers that came after an operator's word. */
function lateAnswers(world: FlowWorld): unknown[] {
  return world.warnings
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ msg }) => msg === 'agent answers what an operator has settled')
    .map(({ commandId, state, settledBy, answer }) => ({ commandId, state, settledBy, answer }));
}

describe('what is said rests on what is stored', () => {
  test('a command goes out when it is stored as sent, not before', async () => {
    const world = new FlowWorld();
    const id = world.issueHere('open_position', '/s1/a/X');
    world.ledger();
    await settled();
    expect(world.flow.inFlight).toBe(1);
    expect(world.sent).toEqual([]);
    await written(world);
    expect(world.sent).toEqual([id]);
  });

  test('a result is acknowledged when it is stored, each time it is repeated, and never without', async () => {
    const { world, id } = await withOneSent();
    world.agent.finishAll();
    world.agent.arrive(world.agent.waiting - 1, true, world.clock.nowMs());
    await settled();
    expect(world.acknowledged).toEqual([]);
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.acknowledged).toEqual([id]);
    world.agent.arrive(world.agent.waiting - 1, false, world.clock.nowMs());
    await written(world);
    expect(world.acknowledged).toEqual([id, id]);
    expect(world.flow.size).toBe(0);
  });

  test('a failure that was followed by another write is not acknowledged: it would be taken for the later answer', async () => {
    const { world, id } = await withOneSent();
    const failed = { state: 'FAILED', passing: true } as const;
    world.agent.step(0, failed);
    world.agent.step(0, failed);
    // The failure arrives, and once more after the command was sent again.
    world.agent.arrive(world.agent.waiting - 1, true, world.clock.nowMs());
    await written(world);
    expect(world.acknowledged).toEqual([id]);
    world.advance(1_000);
    await written(world);
    expect(world.store.get(id)).toMatchObject({ state: 'SENT', attempt: 2 });
    world.agent.finishAll();
    world.agent.reportAll();
    expect(world.acknowledged).toEqual([id]);
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.acknowledged).toEqual([id, id]);
    expect(world.violations).toEqual([]);
  });

  test('an answer after the word of an operator changes nothing, is acknowledged, and is told beside it', async () => {
    const { world, id } = await withOneSent();
    world.change(id, { type: 'journal_lost' }, true);
    world.change(id, EVENTS.not_seen, true);
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(stateOf(world, id)).toBe('FAILED NO_EFFECT_SEEN');
    expect(world.acknowledged).toEqual([id]);
    expect(world.flow.size).toBe(0);
    expect(lateAnswers(world)).toEqual([
      { commandId: id, state: 'FAILED', settledBy: 'alice', answer: { state: 'SUCCEEDED' } },
    ]);
  });

  test('an answer that an operator overtook while it was being written is treated the same', async () => {
    const { world, id } = await withOneSent();
    world.agent.finishAll();
    world.agent.reportAll();
    world.change(id, { type: 'journal_lost' }, false);
    world.change(id, EVENTS.not_seen, false);
    await written(world);
    expect(stateOf(world, id)).toBe('FAILED NO_EFFECT_SEEN');
    expect(world.acknowledged).toEqual([id]);
    expect(lateAnswers(world)).toMatchObject([{ settledBy: 'alice', answer: { state: 'SUCCEEDED' } }]);
  });

  test('a passing failure before the last write is not acknowledged for that, whatever an operator said', async () => {
    const { world, id } = await withOneSent();
    world.advance(2_000);
    await written(world);
    world.advance(4_000);
    await written(world);
    world.change(id, { type: 'journal_lost' }, true);
    world.change(id, EVENTS.not_seen, true);
    const { failed_in_passing: event } = EVENTS;
    if (event.type !== 'finished') throw new Error('an end is wanted');
    world.flow.report([{ commandId: id, event: { ...event, attempt: 1 } }]);
    await written(world);
    expect(world.acknowledged).toEqual([]);
  });

  test('an answer that was stored before the word of an operator stands, and nothing is told', async () => {
    const { world, id } = await withOneSent();
    world.change(id, { type: 'journal_lost' }, true);
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    world.change(id, EVENTS.not_seen, true);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.acknowledged).toEqual([id]);
    expect(lateAnswers(world)).toEqual([]);
  });

  test('under an older epoch nothing is written, delivered or acknowledged, and the stream is looked at', async () => {
    const { world, id } = await withOneSent();
    const { flow } = world;
    await world.reconnect();
    flow.report([{ commandId: id, event: { type: 'received', atMs: world.clock.nowMs() } }]);
    await written(world);
    expect(world.fencedCalls).toBe(1);
    expect(stateOf(world, id)).toBe('SENT');
    expect(world.acknowledged).toEqual([]);
  });

  test('a result of a command of somebody else is acknowledged, for it can never be stored, and changes nothing', async () => {
    const world = new FlowWorld();
    const foreign = { ...sampleCommand({ id: sampleId(77) }), executorId: sampleId(99) };
    world.commitElsewhere(foreign);
    const finished = { type: 'finished', atMs: 0, attempt: 1, state: 'SUCCEEDED', result: null, error: null } as const;
    world.flow.report([{ commandId: foreign.id, event: finished }]);
    await written(world);
    expect(world.acknowledged).toEqual([foreign.id]);
    expect(stateOf(world, foreign.id)).toBe('PENDING');
    expect(world.flow.size).toBe(0);
  });
});

const PASSING = { reason: 'VENUE_UNAVAILABLE', message: 'away', hop: 'venue', retryable: true, metadata: {} } as const;

describe('a new stream', () => {
  test('judges nothing that was sent before until both sides have compared their journals', async () => {
    const { world, id } = await withOneSent();
    await world.reconnect('another');
    world.flow.merge([...world.store.values()]);
    world.advance(60_000);
    await written(world);
    expect(stateOf(world, id)).toBe('SENT');
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.sent).toEqual([id]);
  });

  test('sends again what the same journal has not received, and takes up what it has', async () => {
    const { world, id } = await withOneSent();
    const second = world.issueElsewhere('ping', '');
    world.sync();
    await written(world);
    expect(world.sent).toEqual([id, second]);
    world.agent.replace('journal-1');
    await world.reconnect();
    world.begin();
    await written(world);
    expect(world.inquired).toEqual([id, second]);
    expect(world.sent).toEqual([id, second]);
    world.agent.reportAll();
    await written(world);
    expect(world.sent).toEqual([id, second, id, second]);
    world.agent.step(0, { state: 'SUCCEEDED', passing: false });
    await world.reconnect();
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('RUNNING');
    expect(stateOf(world, second)).toBe('RECEIVED');
    expect(world.sent.length).toBe(4);
  });

  test('gives up nothing that came over the old stream after the Hello had been written', async () => {
    const { world, id } = await withOneSent();
    world.agent.replace('journal-1');
    await world.reconnect();
    const late = world.store.get(id);
    if (late === undefined) throw new Error('the command is stored');
    world.agent.receive(late);
    world.change(id, { type: 'cancel_requested' }, true);
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('SENT');
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
    expect(world.sent).toEqual([id]);
  });

  test('takes no "not found" that crossed a further delivery on its way', async () => {
    const { world, id } = await withOneSent();
    world.agent.replace('journal-1');
    await world.reconnect();
    world.begin();
    world.advance(60_000);
    await written(world);
    expect(world.sent).toEqual([id, id]);
    world.flow.report([{ commandId: id, event: { type: 'not_found' } }]);
    await written(world);
    expect(stateOf(world, id)).toBe('SENT');
    expect(world.sent).toEqual([id, id]);
  });

  test.each([false, true])(
    'an earlier attempt that failed settles what a later one may still settle only on a newer stream (%s)',
    async (newer) => {
      const { world, id } = await withOneSent();
      world.advance(5_000);
      await written(world);
      expect(world.store.get(id)?.attempt).toBe(2);
      world.change(id, { type: 'journal_lost' }, true);
      if (newer) {
        await world.reconnect();
        world.begin();
      }
      const failed = { state: 'FAILED', result: null, error: PASSING } as const;
      world.flow.report([{ commandId: id, event: { type: 'finished', atMs: 0, attempt: 1, ...failed } }]);
      await written(world);
      expect(world.store.get(id)?.state).toBe(newer ? 'FAILED' : 'OUTCOME_UNKNOWN');
      expect(world.acknowledged).toEqual(newer ? [id] : []);
      const done = { state: 'SUCCEEDED', result: null, error: null } as const;
      world.flow.report([{ commandId: id, event: { type: 'finished', atMs: 0, attempt: 2, ...done } }]);
      await written(world);
      expect(world.store.get(id)?.state).toBe(newer ? 'FAILED' : 'SUCCEEDED');
      expect(world.acknowledged).toContain(id);
    },
  );

  test('asks only the journal that can know what became of an unknown outcome', async () => {
    const { world, id } = await withOneSent();
    await world.reconnect('another');
    world.begin();
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    await world.reconnect();
    world.begin();
    expect(world.inquired).toEqual([]);
    await world.reconnect('journal-1');
    world.begin();
    expect(world.inquired).toEqual([id]);
  });

  test('takes no "not found" from a journal that the command was never sent to', async () => {
    const { world, id } = await withOneSent();
    await world.reconnect('another');
    world.begin();
    await written(world);
    world.flow.report([{ commandId: id, event: { type: 'not_found' } }]);
    await written(world);
    expect(stateOf(world, id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.flow.size).toBe(0);
  });

  test('does not send what an older stream of another journal is found to have sent, however late', async () => {
    const world = new FlowWorld();
    await world.reconnect('another');
    world.begin();
    const late = {
      state: 'SENT',
      streamEpoch: 1,
      journalId: 'journal-1',
      sentMs: world.clock.nowMs(),
      attempt: 1,
    } as const;
    const nowMs = world.clock.nowMs();
    const command = { ...sampleCommand({ id: sampleId(5) }, { sequence: 1 }, nowMs), ...late, dueMs: nowMs + 5_000 };
    world.commitElsewhere(command);
    world.sync();
    await written(world);
    expect(stateOf(world, command.id)).toBe('OUTCOME_UNKNOWN JOURNAL_LOST');
    expect(world.sent).toEqual([]);
  });

  test('that is being handed over sends nothing more, not even again, and takes what is reported', async () => {
    const { world, id } = await withOneSent();
    world.flow.hold();
    const waiting = world.issueHere('ping', '');
    await written(world);
    world.advance(5_000);
    await written(world);
    expect(world.sent).toEqual([id]);
    expect(stateOf(world, waiting)).toBe('PENDING');
    world.agent.finishAll();
    world.agent.reportAll();
    await written(world);
    expect(stateOf(world, id)).toBe('SUCCEEDED');
  });
});
