import type { Command, TerminalState } from './command.ts';
import { errorText } from './error-text.ts';
import type { Explanation } from './explanation.ts';
import { clockTime, spanText } from './span-text.ts';

const REFUSED_BY = {
  platform: 'the platform',
  stream: 'the platform',
  agent: 'the agent',
  venue: 'the venue',
} as const;

/** How a command ended, when, and why. */
export function explainEnd(command: Command, state: TerminalState, executorName: string, nowMs: number): Explanation {
  if (command.settledBy !== null) return { hop: 'NONE', sentence: operatorText(command, command.settledBy, nowMs) };
  const sentence = `${endText(command, state, executorName, nowMs)}${settledText(command, nowMs)}`;
  return { hop: state === 'REJECTED' ? 'REFUSED' : 'NONE', sentence };
}

/** Whose word it is comes with what was said: nobody must take it for the agent's. */
function operatorText({ state, settleMs, finishMs, note }: Command, operator: string, nowMs: number): string {
  const what = state === 'SUCCEEDED' ? 'had its effect' : 'had no effect';
  const at = settleMs === null ? '' : ` at ${clockTime(settleMs, nowMs)}`;
  const since = finishMs === null ? '' : ` since ${clockTime(finishMs, nowMs)}`;
  const seen = note === null ? '' : `: ${note}`;
  return `${what}, by the word of operator ${operator}${at}${seen}; its outcome had been unknown${since}`;
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
function prospect({ error, id }: Command, executorName: string): string {
  const way = `strategos command settle ${id}`;
  return error?.reason === 'JOURNAL_LOST'
    ? `only the journal that was lost could tell: look at the venue and settle it by what you see there (${way})`
    : `${executorName} is asked what became of it, and its answer settles it; if none comes, look at the venue and settle it by what you see there (${way})`;
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
