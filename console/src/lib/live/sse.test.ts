import { describe, expect, test } from 'vitest';
import { SseReader } from './sse';

const STREAM = [
  ': hello',
  'event: tile',
  'id: d1',
  'data: {"a": 1}',
  '',
  'data: two',
  'data:  lines',
  '',
  'event: empty',
  '',
  'id: d3',
  'data',
  '',
].join('\n');

const WHOLE = [
  { event: 'tile', data: '{"a": 1}', id: 'd1' },
  { event: 'message', data: 'two\n lines', id: 'd1' },
  { event: 'message', data: '', id: 'd3' },
];

describe('a stream of events', () => {
  test.each(['\n', '\r\n', '\r'])('is read with line ends %j', (end) => {
    const reader = new SseReader();
    const events = [...reader.take(STREAM.replaceAll('\n', end) + end), ...reader.take('\n')];
    expect(events).toEqual(WHOLE);
  });

  test('reads the same wherever it is cut', () => {
    const text = `${STREAM.replaceAll('\n', '\r\n')}\r\n`;
    for (let cut = 0; cut <= text.length; cut += 1) {
      const reader = new SseReader();
      expect([...reader.take(text.slice(0, cut)), ...reader.take(text.slice(cut))]).toEqual(WHOLE);
    }
  });

  test('gives no event that is not whole', () => {
    expect(new SseReader().take('event: tile\ndata: half')).toEqual([]);
  });
});
