// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { canOpen, fileUrl, NEW_SESSION, openingFaults, sessionIn } from './opening';
import { NEW_WATCH } from './watches';

describe('a new session', () => {
  test.each(['camera', 'screen'] as const)('of this browser’s %s sends no address', (source) => {
    const body = sessionIn({ ...NEW_SESSION, source, name: ' Lobby ', url: 'left over' });
    expect(body.source).toEqual({ kind: 'webrtc', name: 'Lobby' });
    expect(openingFaults({ ...NEW_SESSION, source })).toEqual({});
  });

  test('of a camera in the network has its address', () => {
    const draft = { ...NEW_SESSION, source: 'rtsp' as const, url: ' rtsp://user:password@cam/1 ' };
    expect(sessionIn(draft).source).toEqual({ url: 'rtsp://user:password@cam/1', name: '' });
    expect(openingFaults(draft)).toEqual({});
  });

  test.each([
    ['', 'url_missing'],
    ['cam.local/1', 'url_scheme'],
    ['ftp://cam', 'url_scheme'],
    ['javascript:alert(1)', 'url_scheme'],
    ['rtsp://', 'url_scheme'],
  ] as const)('refuses the address %j', (url, fault) => {
    expect(openingFaults({ ...NEW_SESSION, source: 'rtsp', url })).toEqual({ url: fault });
  });

  test('of a file may begin again at its end', () => {
    const draft = { ...NEW_SESSION, source: 'file' as const, url: '/videos/lobby 1.mp4', loop: true };
    expect(sessionIn(draft).source).toEqual({ url: 'file:///videos/lobby%201.mp4', name: '', loop: true });
    expect(openingFaults({ ...draft, url: ' ' })).toEqual({ url: 'path_missing' });
  });

  test('says model, profile and brain only when they are given', () => {
    for (const name of ['model', 'profile', 'brain']) expect(sessionIn(NEW_SESSION)).not.toHaveProperty(name);
    expect(sessionIn({ ...NEW_SESSION, model: 'big', profile: 'joyai', brain: ' deep ' })).toMatchObject({
      model: 'big',
      profile: 'joyai',
      brain: 'deep',
    });
    expect(openingFaults({ ...NEW_SESSION, brain: 'a brain' })).toEqual({ brain: 'brain_wrong' });
  });

  test('hears all modules, those that are named, or none', () => {
    expect(sessionIn(NEW_SESSION).modules).toEqual({ is_on: true, names: [] });
    const named = { ...NEW_SESSION, modules: { isOn: true, names: 'faces zones' } };
    expect(sessionIn(named).modules).toEqual({ is_on: true, names: ['faces', 'zones'] });
    expect(canOpen(named)).toBe(true);
    expect(canOpen({ ...NEW_SESSION, modules: { isOn: true, names: 'a.b' } })).toBe(false);
    expect(sessionIn({ ...NEW_SESSION, modules: { isOn: false, names: 'a.b' } }).modules.is_on).toBe(false);
  });

  test.each([
    ['199', 'interval_wrong'],
    ['60001', 'interval_wrong'],
    ['1000.5', 'interval_wrong'],
    ['', 'interval_wrong'],
  ])('refuses a cadence of %j ms', (intervalMs, fault) => {
    expect(openingFaults({ ...NEW_SESSION, intervalMs })).toEqual({ intervalMs: fault });
  });

  test('has no watch where none was typed', () => {
    const watches = [NEW_WATCH, { ...NEW_WATCH, text: 'Say when it burns.' }];
    expect(sessionIn({ ...NEW_SESSION, watches }).watches.map((watch) => watch.text)).toEqual(['Say when it burns.']);
    expect(canOpen({ ...NEW_SESSION, watches })).toBe(true);
  });

  test('is held back by a watch that is wrong', () => {
    expect(canOpen(NEW_SESSION)).toBe(true);
    expect(canOpen({ ...NEW_SESSION, watches: [{ ...NEW_WATCH, text: 'Say when it burns.', hold: 'x' }] })).toBe(false);
    expect(canOpen({ ...NEW_SESSION, watches: [{ ...NEW_WATCH, name: 'fire' }] })).toBe(false);
    expect(canOpen({ ...NEW_SESSION, watches: [{ ...NEW_WATCH, text: 'Say when it burns.' }] })).toBe(true);
    expect(canOpen({ ...NEW_SESSION, frames: '9' })).toBe(false);
  });
});

test('a path becomes a file URL, a URL stays', () => {
  expect(fileUrl('videos/a.mp4')).toBe('file:///videos/a.mp4');
  expect(fileUrl('file:///videos/a.mp4')).toBe('file:///videos/a.mp4');
  expect(fileUrl('/videos/50%.mp4')).toBe('file:///videos/50%25.mp4');
});
