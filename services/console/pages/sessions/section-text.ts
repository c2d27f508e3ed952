import { Section } from '../../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';

const NAMES: Readonly<Record<Section, string>> = {
  [Section.UNSPECIFIED]: 'unknown',
  [Section.S1_SIGNAL]: 'S1 signal',
  [Section.O1_CANCEL]: 'O1 cancel',
  [Section.Z1_ENTRY]: 'Z1 entry',
  [Section.ZE1_CLOSE]: 'ZE1 close',
  [Section.EMERGENCY_EXIT]: 'E1 emergency exit',
  [Section.STOP_LOSS]: 'stop loss',
  [Section.TAKE_PROFIT]: 'take profit',
  [Section.VENUE]: 'venue',
  [Section.COOLDOWN]: 'cooldown',
  [Section.SESSION]: 'session',
};

/** A section, or what else moved an instance, for people. */
export function sectionText(section: Section): string {
  return NAMES[section] ?? 'unknown';
}
