// @vitest-environment node
import { expect, test } from 'vitest';
import { ALL_MODULES, modulesDraft, modulesFault, modulesIn } from './modules';

test('names stand between commas or spaces, each once', () => {
  const draft = { isOn: true, names: ' faces, zones  faces,mqtt-2 ' };
  expect(modulesIn(draft)).toEqual({ is_on: true, names: ['faces', 'zones', 'mqtt-2'] });
  expect(modulesFault(draft)).toBeNull();
});

test('no name is all of them, and off is none', () => {
  expect(modulesIn(ALL_MODULES)).toEqual({ is_on: true, names: [] });
  expect(modulesIn({ isOn: false, names: 'faces' })).toEqual({ is_on: false, names: [] });
});

test.each([
  ['a.b', 'modules_wrong'],
  ['faces; zones', 'modules_wrong'],
  ['*', 'modules_wrong'],
  ['x'.repeat(65), 'modules_wrong'],
  [Array.from({ length: 17 }, (_, index) => `m${index}`).join(' '), 'modules_many'],
])('refuses %j', (names, fault) => {
  expect(modulesFault({ isOn: true, names })).toBe(fault);
  expect(modulesFault({ isOn: false, names })).toBeNull();
});

test('what the API tells comes back as it was', () => {
  const modules = { is_on: true, names: ['faces', 'zones'] };
  expect(modulesIn(modulesDraft(modules))).toEqual(modules);
});
