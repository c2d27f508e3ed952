/** How often it is looked whether time has gone by without this page. */
const LOOK_MS = 5_000;
/** A gap that no busy page explains: the machine was asleep, and what it was connected to has gone on without it. */
const ASLEEP_MS_MIN = 20_000;

/** Runs when the machine wakes up: its connections may be dead without a word. The returned function ends the looking. */
export function whenAwoken(then: () => void): () => void {
  let lookedMs = Date.now();
  const timer = setInterval(() => {
    const gapMs = Date.now() - lookedMs;
    lookedMs = Date.now();
    if (gapMs >= ASLEEP_MS_MIN) then();
  }, LOOK_MS);
  return () => clearInterval(timer);
}
