import { expect, test } from 'vitest';
import { theServers } from '../../test/harness/current-run.ts';
import { runGate, timed } from './gate.ts';
import { asJunit, asTable } from './report.ts';

test('no supported release would break', { timeout: 240_000 }, async () => {
  const verdicts = await runGate(await theServers(), new Date().toISOString().slice(0, 10));
  process.stdout.write(`${asTable(verdicts)}\n`);
  expect(verdicts.flatMap(({ findings }) => findings)).toEqual([]);
  expect(verdicts.length).toBeGreaterThan(5);
  expect(verdicts.filter(({ looked }) => looked === 0)).toEqual([]);
  expect(asJunit(verdicts)).toContain('<testsuite name="executor 1.0.0" tests="12" failures="0">');
  const looked = verdicts.map(({ what }) => what);
  expect(looked).toContain('generated code: what comes out of the protos');
  expect(looked).toContain('pacts: executor → platform, questions and answers on the stream');
  expect(looked).toContain('pacts: console → gateway, calls');
  expect(looked).toContain('pacts: console → gateway, messages');
  expect(looked).toContain('pacts: platform → executor, questions and answers on the stream');
});

test('a gate that would hold the build against nothing is not passed', async () => {
  await expect(runGate(await theServers(), '2999-01-01')).rejects.toThrow(
    'contracts/support.json names no release that is supported on 2999-01-01, so that there is nothing to hold this build against',
  );
});

test('a check that has looked at nothing is not passed', async () => {
  const [verdict] = await timed('executor 1.0.0', 'golden bytes', async () => ({ looked: 0, findings: [] }));
  expect(verdict).toMatchObject({
    looked: 0,
    findings: [{ consumer: 'executor 1.0.0', what: 'there is nothing to look at' }],
  });
});

test('a failure names the field, who needs it and what to do, in the table and in the XML', () => {
  const finding = {
    check: 'pact',
    consumer: 'executor 1.0.0',
    place: 'platform commands/ping',
    field: '$.commands.commands[0].createTime',
    what: 'is <missing>',
    remedy: 'let the platform fill the field again',
  };
  const verdicts = [{ who: 'executor 1.0.0', what: 'pacts', looked: 1, findings: [finding], tookMs: 3 }];
  for (const part of ['BROKEN (1)', finding.field, finding.consumer, finding.remedy])
    expect(asTable(verdicts)).toContain(part);
  expect(asJunit(verdicts)).toContain('is &lt;missing&gt;');
  expect(asJunit(verdicts)).toContain('failures="1"');
});
