import { type MessageInitShape } from '@bufbuild/protobuf';
import { Option, type Command as Program } from 'commander';
import {
  SettleCommandResponseSchema,
  type SettledFillSchema,
  SettledOutcome,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Side } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { Cli } from '../cli.ts';
import { CliError, EXIT, usageError } from '../terminal/errors.ts';
import { protoJson } from '../terminal/output.ts';
import { repeatWhileUnavailable } from '../terminal/repeat.ts';
import { showCommand } from './view.ts';

type Fill = MessageInitShape<typeof SettledFillSchema>;

interface SettleOptions {
  readonly happened?: true;
  readonly didNotHappen?: true;
  readonly note: string;
  readonly fill?: readonly string[];
}

const FILL_FORM = 'side,symbol,quantity,price[,fee]';
const SIDES: ReadonlyMap<string, Side> = new Map([
  ['buy', Side.BUY],
  ['sell', Side.SELL],
]);

/** `command settle`: an operator's word for what became of a command whose outcome nobody knows. */
export function registerSettle(parent: Program, cli: Cli): void {
  parent
    .command('settle')
    .description('say what became of a command with an unknown outcome, after a look at the venue; that is final')
    .argument('<id>')
    .addOption(new Option('--happened', 'the venue shows its effect').conflicts('didNotHappen'))
    .option('--did-not-happen', 'the venue shows no effect of it, and none is on its way')
    .requiredOption('--note <text>', 'what was seen at the venue, for the history')
    .option('--fill <fills...>', `what it dealt there, each as ${FILL_FORM}, such as buy,BTC_USDT,0.5,20000,1.2`)
    .action(async (id: string, options: SettleOptions, command: Program) => {
      const request = {
        id,
        outcome: outcomeOf(options),
        note: options.note,
        fills: (options.fill ?? []).map(parseFill),
      };
      await cli.withClients(command, async ({ commands, out }) => {
        const response = await repeatWhileUnavailable(() => commands.settleCommand(request));
        if (response.command === undefined) throw new CliError(EXIT.failed, 'the platform answered without a command');
        out.document(protoJson(SettleCommandResponseSchema, response));
        if (response.alreadySettled) out.say(`${id} had been settled so before, by ${response.command.settledBy}`);
        showCommand(out, response.command);
      });
    });
}

function outcomeOf({ happened, didNotHappen }: SettleOptions): SettledOutcome {
  if (happened === true) return SettledOutcome.HAPPENED;
  if (didNotHappen === true) return SettledOutcome.DID_NOT_HAPPEN;
  throw usageError('say what the venue shows: --happened or --did-not-happen');
}

/** A fill as it is typed; what its values mean is for the platform to check. @throws CliError usage */
function parseFill(text: string): Fill {
  const [sideText = '', symbol = '', quantity = '', price = '', fee = '', ...rest] = text.split(',');
  const side = SIDES.get(sideText.toLowerCase());
  if (side === undefined || price === '' || rest.length > 0) {
    throw usageError(`--fill takes ${FILL_FORM}, such as buy,BTC_USDT,0.5,20000,1.2; got "${text}"`);
  }
  return { side, symbol, quantity, price, fee };
}
