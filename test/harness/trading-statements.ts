import { sampleInstance } from './sample-instances.ts';
import { sampleSession } from './sample-sessions.ts';

/** A statement that runs often, or over much: sample values, and the indexes that must carry it. */
export interface HotStatement {
  readonly values: () => readonly unknown[];
  readonly indexes: readonly string[];
}

const desk = sampleSession.accountId(3);
const session = sampleSession.id(3);
const requests = [sampleSession.requestId(3, 1), sampleSession.requestId(3, 2)];
const { accountId: fund, ownerId } = sampleInstance;
const instances = [sampleInstance.id(0), sampleInstance.id(10)];
const epochs = [0, 0];

/** Of the services that trade. */
export const HOT_TRADING: Readonly<Record<string, HotStatement>> = {
  session_lock: { values: () => [[session]], indexes: ['session_pkey'] },
  session_get: { values: () => [desk, session], indexes: [] },
  session_list: { values: () => [desk, null, null, null, 100], indexes: ['session_account_idx'] },
  session_activations_of: { values: () => [[session]], indexes: ['activation_session_idx'] },
  session_strategy_uses: {
    values: () => [desk, sampleSession.strategyId],
    indexes: [],
  },
  session_open_signals: { values: () => [[session]], indexes: ['signal_open_idx'] },
  session_open_positions: {
    values: () => [[session], [session], [sampleSession.positionId(5)], ['command-3-6'], [session]],
    indexes: ['position_open_idx', 'position_pkey', 'position_command_idx', 'position_unpriced_idx'],
  },
  session_open_commands: {
    values: () => [[session], [desk], requests],
    indexes: ['command_session_idx', 'command_pkey'],
  },
  session_commands_to_do: { values: () => [session], indexes: ['command_session_idx'] },
  session_find_commands: { values: () => [desk, requests], indexes: ['command_pkey'] },
  session_changes: { values: () => [session, 5, 200], indexes: ['session_pkey', 'change_pkey'] },
  session_signals_by_id: { values: () => [session, ['signal-1', 'signal-2']], indexes: ['signal_pkey'] },
  session_positions_by_id: { values: () => [session, ['position-1', 'position-2']], indexes: ['position_pkey'] },
  session_intents: { values: () => [session, 100], indexes: ['intent_open_idx'] },
  session_intents_done: { values: () => [desk, ['intent-3-0', 'intent-3-1']], indexes: ['intent_pkey'] },
  session_outcomes: { values: () => [session, 500], indexes: ['outcome_open_idx'] },
  session_outcomes_told: { values: () => [['outcome-3-0', 'outcome-3-1']], indexes: ['outcome_pkey'] },
  session_claim_work: { values: () => ['session-0', 10_000, 50], indexes: ['work_due_idx'] },
  session_remove_intents: { values: () => [30, 1_000], indexes: ['intent_done_idx'] },
  session_remove_outcomes: { values: () => [30, 1_000], indexes: ['outcome_told_idx'] },
  session_remove_commands: { values: () => [30, 1_000], indexes: ['command_ended_idx'] },
  session_remove_halt_attempts: { values: () => [30, 1_000], indexes: ['halt_target_pkey'] },
  session_remove_halts: {
    values: () => [30, 10],
    indexes: [
      'halt_complete_idx',
      'command_halt_idx',
      'session_halt_idx',
      'position_open_idx',
      'halt_target_executor_idx',
    ],
  },
  write_steps: {
    values: () => [fund, ownerId, JSON.stringify([{ id: instances[0], epoch: 0 }]), '[]', '[]', '[]'],
    indexes: ['instance_pkey'],
  },
  note_evaluated: { values: () => [ownerId, instances, epochs, [5, 5], [1, 1]], indexes: ['instance_pkey'] },
  read_instances: { values: () => [fund, instances], indexes: ['instance_pkey'] },
  read_owner_address: { values: () => [instances[0]], indexes: ['instance_pkey'] },
  list_owned_instances: { values: () => [ownerId], indexes: ['instance_live_idx'] },
  claim_instances: { values: () => [ownerId, 50], indexes: ['instance_live_idx'] },
  count_instance_shares: { values: () => [ownerId], indexes: ['instance_live_idx'] },
  read_open_outcomes: { values: () => [ownerId, fund], indexes: ['outcome_open_idx'] },
  read_evaluations_after: {
    values: () => [fund, sampleInstance.newestEvaluation - 100, 100, '', '', 5_000],
    indexes: ['evaluation_pkey'],
  },
  read_recent_evaluations: { values: () => [fund, instances[0], 20], indexes: ['evaluation_instance_idx'] },
  remove_evaluations: { values: () => [fund, 30, 1_000], indexes: ['evaluation_pkey'] },
  remove_outcomes: { values: () => [30, 1_000], indexes: ['outcome_time_idx'] },
  read_definition: { values: () => [fund, 'strategy-0', 0], indexes: ['definition_pkey'] },
  remove_instances: {
    values: () => [30, 1_000],
    indexes: ['instance_control_idx', 'evaluation_instance_idx', 'intent_instance_idx', 'instance_account_idx'],
  },
  remove_definitions: { values: () => [30, 1_000], indexes: ['definition_time_idx'] },
};

/** Tables of the services that trade which grow with time. */
export const LARGE_TRADING_TABLES: readonly string[] = [
  'session',
  'activation',
  'intent',
  'outcome',
  'signal',
  'position',
  'change',
  'halt',
  'halt_target',
  'instance',
  'evaluation',
  'definition',
];
