/** The life of a session. */
export type SessionState = 'STARTING' | 'ACTIVE' | 'PAUSED' | 'STOPPING' | 'STOPPED' | 'FAILED' | 'COMPLETED';

/**
 * Every step that a session may take. STOPPED, FAILED and COMPLETED are final; what a failed start has begun is taken back
 * by commands and instances that outlive the state.
 */
export const STEPS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  STARTING: ['ACTIVE', 'PAUSED', 'FAILED', 'STOPPING', 'STOPPED'],
  ACTIVE: ['PAUSED', 'STOPPING', 'STOPPED', 'FAILED', 'COMPLETED'],
  PAUSED: ['ACTIVE', 'STOPPING', 'STOPPED', 'FAILED', 'COMPLETED'],
  STOPPING: ['STOPPED'],
  STOPPED: [],
  FAILED: [],
  COMPLETED: [],
};

export function isFinal(state: SessionState): boolean {
  return STEPS[state].length === 0;
}

export function mayStep(from: SessionState, to: SessionState): boolean {
  return STEPS[from].includes(to);
}

/** Whether new entries are wanted of a session in this state. */
export function trades(state: SessionState): boolean {
  return state === 'ACTIVE';
}
