/** Something that would break somebody. */
export interface Finding {
  /** Which check found it. */
  readonly check: string;
  /** Who needs it, with the release: "executor 1.0.0". */
  readonly consumer: string;
  /** The frame, message or step in which it stands. */
  readonly place: string;
  /** Path of the field, or what stands for it. */
  readonly field: string;
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** One line of the gate's table. */
export interface Verdict {
  readonly who: string;
  readonly what: string;
  /** How many things were looked at. */
  readonly looked: number;
  readonly findings: readonly Finding[];
  readonly tookMs: number;
}

export const REMEDY = {
  keep: 'keep the field as it was and add a new one beside it; drop the old one when no supported release needs it',
  send: 'let who says it fill the field again, or end the support of the release in contracts/support.json',
  order: 'restore the order in which the frames were sent; an executor in the field acts on it',
  behave:
    'restore the answer that the release was built against, or end the support of the release in contracts/support.json',
  http: 'restore the path, the status, the reason or the field; whoever was built against the release acts on it',
  generate: 'run `npm run generate` and commit what it makes; nobody edits it by hand',
  run: 'mend what keeps the check from being carried out, and run the gate again: until then nothing is known of the release',
  pact: 'run `npm run contracts:pacts` and commit the pacts',
} as const;
