/** Rings when a session has changed, on whatever replica. A ring may be lost: whoever waits looks by itself too. */
export interface ChangeBell {
  on(sessionId: string, callback: () => void): () => void;
}
