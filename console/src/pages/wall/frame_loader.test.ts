import { expect, test } from 'vitest';
import { FrameLoader } from './frame_loader';

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test('one request at a time, the newest picture next, and one that fails changes nothing', async () => {
  const asked: string[] = [];
  const shown: string[] = [];
  const answers: ((picture: string | Error) => void)[] = [];
  const loader = new FrameLoader<string>(
    (address) => {
      asked.push(address);
      return new Promise((resolve, reject) =>
        answers.push((picture) => (picture instanceof Error ? reject(picture) : resolve(picture))),
      );
    },
    (picture) => shown.push(picture),
  );
  const answer = async (picture: string | Error): Promise<void> => {
    answers.shift()?.(picture);
    await settle();
  };
  loader.want('1');
  loader.want('2');
  loader.want('3');
  expect(asked).toEqual(['1']);
  await answer('one');
  expect(asked).toEqual(['1', '3']);
  await answer(new Error('gone'));
  expect(shown).toEqual(['one']);
  loader.want('3');
  expect(asked).toEqual(['1', '3']);
  loader.want('4');
  await answer('four');
  expect([asked, shown]).toEqual([
    ['1', '3', '4'],
    ['one', 'four'],
  ]);
});
