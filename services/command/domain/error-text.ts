import type { CommandError } from './command.ts';

/** Why, for people and programs: "the venue is closed (VENUE_UNAVAILABLE)", or the reason alone where nothing was said. */
export function errorText({ message, reason }: Pick<CommandError, 'message' | 'reason'>): string {
  return message === '' ? reason : `${message} (${reason})`;
}
