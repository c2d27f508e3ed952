import type { Command } from 'commander';
import colors from 'picocolors';
import {
  type Alert,
  AlertRule,
  AlertSchema,
  AlertState,
  TestAlertsResponseSchema,
} from '../../proto/gen/strategos/alert/v1/alert_service_pb.js';
import type { Cli } from './cli.ts';
import { CliError, EXIT } from './terminal/errors.ts';
import { type Output, protoJson } from './terminal/output.ts';
import { repeatWhileUnavailable } from './terminal/repeat.ts';
import { formatTime } from './terminal/time.ts';

const ALERTS_MAX = 1_000;

const EXAMPLES = `
Examples:
  $ strategos alert list --firing
  $ strategos alert test                  do notices arrive where somebody reads them?`;

/** `strategos alert …`: what the platform found wrong, and whether anybody hears of it. */
export function registerAlert(program: Command, cli: Cli): void {
  const alert = program
    .command('alert')
    .description('see what the platform found wrong, and try whether notices arrive')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);

  alert
    .command('list')
    .description('list alerts: those that fire first, then what has recovered')
    .option('--firing', 'only those that fire')
    .action((options: { firing?: boolean }, command: Command) =>
      cli.withClients(command, async ({ alerts, out }) => {
        const request = { firingOnly: options.firing ?? false, pageSize: ALERTS_MAX };
        const found = await repeatWhileUnavailable(() => alerts.listAlerts(request));
        for (const each of found.alerts) out.jsonLine(protoJson(AlertSchema, each));
        const none = options.firing === true ? 'no alert fires' : 'no alert fires, and none has recovered lately';
        out.table(['STATE', 'RULE', 'SUBJECT', 'SINCE', 'RECOVERED', 'WHAT'], found.alerts.map(alertRow), none);
        sayWho(out, found.channels, formatTime(found.lookTime));
      }),
    );

  alert
    .command('test')
    .description('send a test notice over every channel')
    .action((_options: object, command: Command) =>
      cli.withClients(command, async ({ alerts, out }) => {
        const response = await alerts.testAlerts({});
        out.document(protoJson(TestAlertsResponseSchema, response));
        for (const { channel, delivered, error } of response.deliveries) {
          out.say(delivered ? `${channel}: delivered` : `${channel}: ${colors.red('not delivered')}: ${error}`);
        }
        const failed = response.deliveries.filter(({ delivered }) => !delivered).map(({ channel }) => channel);
        if (failed.length > 0) throw new CliError(EXIT.failed, `not delivered by ${failed.join(' and ')}`);
      }),
    );
}

function alertRow({ state, rule, subject, fireTime, recoverTime, sentence }: Alert): string[] {
  const firing = state === AlertState.FIRING;
  return [
    firing ? colors.red('firing') : colors.green('recovered'),
    (AlertRule[rule] ?? String(rule)).toLowerCase().replaceAll('_', ' '),
    subject,
    formatTime(fireTime) ?? '',
    formatTime(recoverTime) ?? '',
    sentence,
  ];
}

function sayWho(out: Output, channels: readonly string[], lookTime: string | undefined): void {
  const told = channels.length === 0 ? 'nobody is told: no channel is configured' : `told by ${channels.join(' and ')}`;
  out.say(colors.dim(`${told}; rules were last looked at ${lookTime ?? 'never'}`));
}
