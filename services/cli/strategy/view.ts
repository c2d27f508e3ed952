import colors from 'picocolors';
import {
  type Condition,
  type ExitOffset,
  PositionSizeType,
  type Strategy,
  type StrategyDefinition,
} from '../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import type { Fault, FieldChange } from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Output } from '../terminal/output.ts';
import { formatTime } from '../terminal/time.ts';
import { valueName } from '../terminal/value-name.ts';
import { OPERATORS } from './operator.ts';

export const STRATEGY_COLUMNS = ['NAME', 'REVISION', 'CHANGED', 'SIGNAL', 'ENTRY', 'ID'];

export function strategyRow(strategy: Strategy): string[] {
  const { definition } = strategy;
  return [
    strategyName(strategy),
    String(strategy.revision),
    formatTime(strategy.updateTime) ?? '',
    definition === undefined ? colors.red('cannot be read') : conditionsText(definition.s1Signal?.conditions),
    definition === undefined ? '' : conditionsText(definition.z1Entry?.conditions),
    strategy.id,
  ];
}

export function strategyName(strategy: Strategy): string {
  return strategy.definition?.strategyName ?? strategy.id;
}

/** Everything that is known of one strategy, for people. */
export function showStrategy(out: Output, strategy: Strategy): void {
  const { definition } = strategy;
  out.details([
    ['name', strategyName(strategy)],
    ['id', strategy.id],
    ['revision', String(strategy.revision)],
    ['created', formatTime(strategy.createTime)],
    ['changed', formatTime(strategy.updateTime)],
    ['deleted', formatTime(strategy.deleteTime)],
    ...(definition === undefined ? [] : sectionLines(definition)),
  ]);
}

function sectionLines(definition: StrategyDefinition): (readonly [string, string | undefined])[] {
  const { s1Signal, o1Cancel, z1Entry, ze1Close, emergencyExit, globalLimits } = definition;
  const { actions } = emergencyExit ?? {};
  return [
    ['about', definition.description],
    ['s1_signal', conditionsText(s1Signal?.conditions)],
    [
      'o1_cancel',
      parts([
        o1Cancel !== undefined && o1Cancel.conditions.length > 0 ? conditionsText(o1Cancel.conditions) : '',
        o1Cancel?.timeoutSeconds ? `after ${o1Cancel.timeoutSeconds} s` : '',
        o1Cancel?.cooldownMinutes ? `then ${o1Cancel.cooldownMinutes} min cooldown` : '',
      ]),
    ],
    [
      'z1_entry',
      parts([
        conditionsText(z1Entry?.conditions),
        sizeText(definition),
        offsetText('stop', z1Entry?.stopLoss),
        offsetText('target', z1Entry?.takeProfit),
        z1Entry?.leverage === undefined ? '' : `leverage ${z1Entry.leverage}`,
      ]),
    ],
    ['ze1_close', conditionsText(ze1Close?.conditions)],
    [
      'emergency_exit',
      parts([
        conditionsText(emergencyExit?.conditions),
        actions?.cancelPending === false ? 'cancels nothing' : '',
        actions?.closePosition === false ? 'closes nothing' : '',
        emergencyExit?.cooldownMinutes ? `then ${emergencyExit.cooldownMinutes} min cooldown` : '',
      ]),
    ],
    [
      'limits',
      parts([
        globalLimits?.maxLeverage === undefined ? '' : `leverage at most ${globalLimits.maxLeverage}`,
        globalLimits?.stopLossBufferPct === undefined ? '' : `stop loss buffer ${globalLimits.stopLossBufferPct} %`,
      ]),
    ],
  ];
}

function parts(texts: readonly string[]): string {
  return texts.filter((each) => each !== '').join('; ');
}

/** "rsi_14 < 70 and price > 5", or that it never fires. */
export function conditionsText(conditions: readonly Condition[] = []): string {
  if (conditions.length === 0) return 'never';
  return conditions
    .map(({ indicatorId, operator, value }) => `${indicatorId} ${valueName(OPERATORS, operator)} ${value}`)
    .join(' and ');
}

/** "10 % of the equity", "100 a position", or nothing where the strategy does not say. */
export function sizeText({ z1Entry, globalLimits }: StrategyDefinition): string {
  const size = z1Entry?.positionSize;
  if (size !== undefined) {
    const { type, value } = size;
    if (type === PositionSizeType.PERCENTAGE) return `${value} % of the equity`;
    if (type === PositionSizeType.FIXED) return `${value} a position`;
    return `${value} of a kind that is not known here (${valueName(PositionSizeType, type)})`;
  }
  const fraction = globalLimits?.basePositionPct;
  return fraction === undefined ? '' : `${Number((fraction * 100).toPrecision(12))} % of the equity`;
}

function offsetText(what: string, offset: ExitOffset | undefined): string {
  return offset?.enabled === true ? `${what} ${offset.offsetPercent} %` : '';
}

/** What is wrong, and what is odd, one a line. */
export function faultRow({ field, description, warning }: Fault): string[] {
  return [warning ? colors.yellow('warning') : colors.red('fault'), field, description];
}

export function showWarnings(out: Output, warnings: readonly Fault[]): void {
  for (const { field, description } of warnings) {
    out.note(`${colors.yellow('warning:')} ${field === '' ? '' : `${field}: `}${description}`);
  }
}

/** "s1_signal.conditions[cond1].value: 5 → 7" */
export function changeText({ path, before, after }: FieldChange): string {
  if (before === '') return `${colors.green('+')} ${path}: ${after}`;
  if (after === '') return `${colors.red('-')} ${path}: ${before}`;
  return `${colors.yellow('~')} ${path}: ${before} → ${after}`;
}
