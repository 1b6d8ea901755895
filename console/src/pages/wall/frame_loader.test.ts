import { expect, test } from 'vitest';
import { FrameLoader } from './frame_loader';

test('one request at a time, and the newest picture next', () => {
  const asked: string[] = [];
  const loader = new FrameLoader((address) => asked.push(address));
  loader.want('1');
  loader.want('2');
  loader.want('3');
  expect(asked).toEqual(['1']);
  loader.settled();
  expect(asked).toEqual(['1', '3']);
  loader.settled();
  loader.settled();
  expect(asked).toEqual(['1', '3']);
  loader.want('3');
  expect(asked).toEqual(['1', '3']);
  loader.want('4');
  expect(asked).toEqual(['1', '3', '4']);
});
