import { expect, test } from 'vitest';
import { LogLines } from './log-lines.ts';

/** A file that takes so many bytes, and what was written to it. */
class Disk {
  text = '';
  free = Number.POSITIVE_INFINITY;
  code = 'ENOSPC';
  asked = 0;

  readonly write = (bytes: Uint8Array): number => {
    this.asked++;
    if (this.free === 0) throw Object.assign(new Error('no space left on device, write'), { code: this.code });
    const taken = bytes.subarray(0, this.free);
    this.free -= taken.length;
    this.text += Buffer.from(taken).toString();
    return taken.length;
  };
}

test('what a full disk does not take is dropped, and counted where the log goes on', () => {
  const disk = new Disk();
  const log = new LogLines(disk.write);
  log.write('first\n');
  disk.free = 3;
  log.write('second\n');
  log.write('third\n');
  disk.free = Number.POSITIVE_INFINITY;
  log.write('fourth\n');
  log.write('fifth\n');

  const lines = disk.text.split('\n');
  expect(lines.slice(0, 3)).toEqual(['first', 'sec', 'fourth']);
  expect(JSON.parse(lines[3] ?? '')).toMatchObject({ level: 'warn', lost: 2, msg: 'log lines could not be written' });
  expect(lines.slice(4)).toEqual(['fifth', '']);
});

test('a pipe whose reader is behind is waited for', () => {
  const pipe = new Disk();
  pipe.code = 'EAGAIN';
  pipe.free = 4;
  let waits = 0;
  const log = new LogLines(pipe.write, () => {
    if (++waits === 3) pipe.free = Number.POSITIVE_INFINITY;
  });
  log.write('a line\n');
  expect(pipe.text).toBe('a line\n');
});

test('a pipe that nobody reads holds the process up once, not at every line', () => {
  const pipe = new Disk();
  pipe.code = 'EAGAIN';
  pipe.free = 0;
  let waitedMs = 0;
  const log = new LogLines(pipe.write, (ms) => {
    waitedMs += ms;
  });
  for (let line = 0; line < 1_000; line++) log.write(`${line}\n`);
  expect(waitedMs).toBeLessThan(1_000);
  expect(pipe.asked).toBeLessThan(1_100);
});

test('a pipe that is read slowly does not hold the process up again and again', () => {
  const pipe = new Disk();
  pipe.code = 'EAGAIN';
  pipe.free = 0;
  const line = 'a line\n';
  let [nowMs, stoodMs] = [0, 0];
  const pass = (ms: number): void => {
    // The reader takes twenty lines every quarter of a second.
    if (Math.floor((nowMs + ms) / 250) > Math.floor(nowMs / 250)) pipe.free = 20 * line.length;
    nowMs += ms;
  };
  const log = new LogLines(pipe.write, (ms) => {
    stoodMs += ms;
    pass(ms);
  });
  for (let written = 0; written < 10_000; written++) {
    pass(1);
    log.write(line);
  }
  expect(nowMs).toBeGreaterThanOrEqual(10_000);
  expect(stoodMs / nowMs).toBeLessThan(0.1);
});
