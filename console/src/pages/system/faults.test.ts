import { expect, test } from 'vitest';
import { faultsOf } from './faults';

test('faults are what a role says beside that it works', () => {
  const status = {
    ingestion: { state: 'reconnecting', detail: 'no answer', fault: 'unreachable' },
    interaction: { state: 'deciding', worker: 'interaction-1' },
    codec: 'odd',
  };
  expect(faultsOf('s-1', 'Lobby', status)).toEqual([
    { session: 's-1', name: 'Lobby', role: 'ingestion', state: 'reconnecting', detail: 'no answer' },
  ]);
});

test('a fault counts while the source is watched all the same', () => {
  const status = { ingestion: { state: 'watching', detail: 'the clock is slow', fault: 'clock_drift' } };
  expect(faultsOf('s-1', 'Lobby', status)).toHaveLength(1);
});
