// @vitest-environment node
import { expect, test } from 'vitest';
import { difference } from './diff';
import { asJson, counts, type Message, type Prompt } from './prompt';

const text = (role: string, ...texts: string[]): Message => ({
  role,
  parts: texts.map((words) => ({ type: 'text', text: words })),
});
const picture = (uuid: string): Message => ({
  role: 'user',
  parts: [
    { type: 'text', text: '<1.0 seconds>' },
    { type: 'image', uuid, width: 640, height: 384, path: `/v1/sessions/s/turns/1/frames/0` },
  ],
});

const SYSTEM = text('system', 'You watch.');
const BEFORE = [SYSTEM, picture('a')];
const NOW = [SYSTEM, picture('a'), text('assistant', '</silence>'), picture('b')];

test('within a chunk only what was appended is told', () => {
  const found = difference(BEFORE, NOW);
  expect(found).toMatchObject({ relation: 'appended', same: 2, dropped: 0 });
  expect(found.added.map((message) => message.role)).toEqual(['assistant', 'user']);
});

test('without a prompt before it all of it is new', () => {
  expect(difference(null, NOW)).toEqual({ relation: 'first', same: 0, added: NOW, dropped: 0 });
});

test('a new chunk drops what was before', () => {
  const found = difference(NOW, [SYSTEM, picture('b')], true);
  expect(found).toMatchObject({ relation: 'new_chunk', same: 1, dropped: 3 });
});

test('a change that no chunk explains is called one', () => {
  expect(difference(BEFORE, [SYSTEM, picture('x'), text('assistant', '</silence>')]).relation).toBe('changed');
  expect(difference(BEFORE, [SYSTEM]).relation).toBe('changed');
  expect(difference([text('system', 'a')], [text('system', 'a', 'b')]).relation).toBe('changed');
  expect(difference([text('system', 'a')], [text('user', 'a')]).relation).toBe('changed');
});

test('a picture is the same by its name, not by where it is kept', () => {
  const moved: Message = {
    role: 'user',
    parts: picture('a').parts.map((part) => (part.type === 'image' ? { ...part, path: null } : part)),
  };
  expect(difference(BEFORE, [SYSTEM, moved]).same).toBe(2);
});

test('messages, pictures and characters are counted', () => {
  expect(counts(NOW)).toEqual({
    messages: 4,
    pictures: 2,
    characters: 'You watch.'.length + 2 * 13 + '</silence>'.length,
  });
});

test('what is copied is what the API told', () => {
  const prompt: Prompt = {
    session: 's',
    sequence: 1,
    chunk: 0,
    profile: 'p',
    model: 'm',
    messages: NOW,
    reply: '</silence>',
  };
  expect(JSON.parse(asJson(prompt))).toEqual(prompt);
});
