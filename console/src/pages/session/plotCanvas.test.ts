// @vitest-environment node
import { expect, test } from 'vitest';
import { LIVE } from './plot';
import { drawPlot, plotSize, type PlotColours } from './plotCanvas';
import { spoken, turn, turns } from './testing';

const NAMES = ['silent', 'speak', 'delegate', 'malformed', 'skipped', 'line', 'text', 'font'] as const;
const COLOURS = Object.fromEntries(NAMES.map((name) => [name, name])) as unknown as PlotColours;
const SIZE = { width: 600, height: 148 };

interface Drawn {
  what: string;
  colour: string;
  numbers: number[];
}

/** A context that notes what is drawn, with the colour at that moment. */
function recorder(): { context: CanvasRenderingContext2D; drawn: Drawn[] } {
  const drawn: Drawn[] = [];
  const fields: Record<string, unknown> = {};
  const context = new Proxy(fields, {
    get: (held, name: string) =>
      name in held
        ? held[name]
        : (...given: unknown[]) => {
            const colour = String(name === 'stroke' ? held.strokeStyle : held.fillStyle);
            drawn.push({ what: name, colour, numbers: given.filter((value) => typeof value === 'number') });
          },
  });
  return { context: context as unknown as CanvasRenderingContext2D, drawn };
}

function draw(change: Partial<Parameters<typeof drawPlot>[2]>): Drawn[] {
  const { context, drawn } = recorder();
  const picture = { turns: turns(0, 60), view: LIVE, chosen: undefined, alerts: new Set<number>(), timeLabel: String };
  drawPlot(context, SIZE, { ...picture, ...change }, COLOURS);
  return drawn;
}

const strokes = (drawn: Drawn[]): string[] => drawn.filter(({ what }) => what === 'stroke').map(({ colour }) => colour);

test('each action has its line, and what speaks is on top', () => {
  expect(strokes(draw({}))).toEqual(['silent', 'delegate', 'speak']);
});

test('turns without probabilities have a mark and no line', () => {
  const drawn = draw({ turns: [turn(0, { p: null }), turn(1, { p: null, malformed: 'no token' })] });
  expect(strokes(drawn)).toEqual([]);
  expect(drawn.filter(({ what, colour }) => what === 'fillRect' && colour === 'malformed')).toHaveLength(1);
});

test('a spoken turn has a tall mark, a silent one a low one', () => {
  const drawn = draw({ turns: [turn(0), spoken(1, 'Fire.')] }).filter(
    ({ what, numbers }) => what === 'fillRect' && numbers[2] === 2.5,
  );
  const [silent, speak] = [
    drawn.find(({ colour }) => colour === 'silent'),
    drawn.find(({ colour }) => colour === 'speak'),
  ];
  expect(silent?.numbers[3]).toBeLessThan(speak?.numbers[3] ?? 0);
});

test('an alert has a triangle at the top, skipped frames a line, the chosen turn one over all', () => {
  const held = [turn(0), turn(30, { frames_skipped: 2 }), turn(60)];
  const plain = draw({ turns: held });
  const marked = draw({ turns: held, alerts: new Set([30]), chosen: held[1] });
  expect(marked.filter(({ what }) => what === 'fill').length - plain.filter(({ what }) => what === 'fill').length).toBe(
    1,
  );
  expect(plain.filter(({ what, colour }) => what === 'fillRect' && colour === 'skipped')).toHaveLength(1);
  const over = marked.find(
    ({ what, colour, numbers }) => what === 'fillRect' && colour === 'text' && numbers[0] === 300,
  );
  expect(over?.numbers[3]).toBeGreaterThan(plotSize(SIZE).height);
});

test('times stay inside of the canvas', () => {
  const labels = draw({}).filter(({ what }) => what === 'fillText');
  expect(labels.length).toBeGreaterThan(3);
  for (const { numbers } of labels) {
    expect(numbers[0]).toBeGreaterThanOrEqual(0);
    expect(numbers[0]).toBeLessThanOrEqual(SIZE.width);
  }
});
