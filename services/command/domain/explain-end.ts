import type { Command, TerminalState } from './command.ts';
import { errorText } from './error-text.ts';
import type { Explanation } from './explain.ts';
import { clockTime, spanText } from './span-text.ts';

const REFUSED_BY = {
  platform: 'the platform',
  stream: 'the platform',
  agent: 'the agent',
  venue: 'the venue',
} as const;

/** How a command ended, when, and why. */
export function explainEnd(command: Command, state: TerminalState, executorName: string, nowMs: number): Explanation {
  const sentence = `${endText(command, state, executorName, nowMs)}${settledText(command, nowMs)}`;
  return { hop: state === 'REJECTED' ? 'REFUSED' : 'NONE', sentence };
}

function endText(command: Command, state: TerminalState, executorName: string, nowMs: number): string {
  const at = command.finishMs === null ? '' : ` at ${clockTime(command.finishMs, nowMs)}`;
  const why = command.error === null ? '' : `: ${errorText(command.error)}`;
  switch (state) {
    case 'SUCCEEDED':
      return `succeeded${at}${afterText(command)}`;
    case 'FAILED':
      return `failed${at}${attemptsText(command)}${why}`;
    case 'REJECTED':
      return `refused by ${REFUSED_BY[command.error?.hop ?? 'agent']}${at} before any effect${why}`;
    case 'CANCELLED':
      return `cancelled${at}${why}`;
    case 'EXPIRED':
      return `expired${at}, was never started and never will be${why}`;
    case 'OUTCOME_UNKNOWN':
      return `outcome unknown since${at.replace(' at', '')}${why}; ${prospect(command, executorName)}`;
    default:
      return state satisfies never;
  }
}

/** An agent with another journal is not asked: it cannot know. */
function prospect({ error }: Command, executorName: string): string {
  return error?.reason === 'JOURNAL_LOST'
    ? 'look at the venue: only the journal that was lost could still settle it'
    : `${executorName} is asked what became of it, and its answer still settles it`;
}

function afterText(command: Command): string {
  if (command.finishMs === null) return '';
  return `, ${spanText(command.finishMs - command.createMs)} after it was accepted`;
}

function attemptsText({ attempt }: Command): string {
  return attempt > 1 ? ` after ${attempt} attempts` : '';
}

function settledText({ settleMs, state }: Command, nowMs: number): string {
  if (settleMs === null || state === 'OUTCOME_UNKNOWN') return '';
  return `; its outcome had been unknown until the agent's late answer at ${clockTime(settleMs, nowMs)}`;
}
