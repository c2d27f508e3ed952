import { expect, test } from 'vitest';
import { UnderLoad } from './under-load.ts';

test('Postgres is restarted, killed, and stopped together with NATS, in the middle of the work', async () => {
  await using work = await UnderLoad.start(7, { commandReplicas: 2, postgres: 'own', nats: 'own' });
  const { stack, recorder } = work;

  await work.moreEffects(50);
  await recorder.fault('postgres restarted', true, async () => stack.postgres?.restart());
  await work.moreEffects(50);
  await recorder.fault('postgres killed', true, async () => {
    await stack.postgres?.kill();
    await stack.postgres?.start();
  });
  await work.moreEffects(50);
  await recorder.fault('postgres and NATS stopped', true, async () => {
    await Promise.all([stack.nats?.stop(), stack.postgres?.stop()]);
    await stack.postgres?.start();
  });
  await work.moreEffects(50);
  await stack.nats?.start();
  await work.moreEffects(50);
  expect(await work.verdict()).toBe('');
});
