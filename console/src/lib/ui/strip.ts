/**
 * The decision strip: one cell a turn, the newest at the right. A silent turn is a grey column as high as the model was
 * ready to speak, a spoken one a full bar, a delegated one a triangle. Drawn on a canvas: a hundred of them stay cheap.
 */

export type Action = 'silent' | 'speak' | 'delegate';

export interface StripTurn {
  action: Action;
  /** The output could not be read. */
  malformed: boolean;
  /** Frames were skipped before this turn. */
  skipped: boolean;
  /** Probability that the model speaks; null when the engine gave none. */
  speak: number | null;
}

/** What of a decision the strip shows. */
export function stripTurn(decision: {
  action: Action;
  malformed?: string;
  frames_skipped?: number;
  p?: Record<string, number> | null;
}): StripTurn {
  return {
    action: decision.action,
    malformed: Boolean(decision.malformed),
    skipped: (decision.frames_skipped ?? 0) > 0,
    speak: decision.p?.speak ?? null,
  };
}

export interface StripColours {
  silent: string;
  speak: string;
  delegate: string;
  malformed: string;
  skipped: string;
}

export const PITCH = 5;
const MARK = 3;
const LEAST = 2;

/** How many turns fit into so many pixels. */
export function cellsIn(width: number): number {
  return Math.max(0, Math.floor((width + PITCH - MARK) / PITCH));
}

/** The colours of the theme that is shown. */
export function coloursOf(element: Element): StripColours {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    silent: colour('silent'),
    speak: colour('speak'),
    delegate: colour('delegate'),
    malformed: colour('malformed'),
    skipped: colour('skipped'),
  };
}

/** Draw the newest of `turns` that fit. `width` and `height` are in the units of the context. */
export function drawStrip(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  turns: readonly StripTurn[],
  colours: StripColours,
): void {
  context.clearRect(0, 0, width, height);
  const shown = turns.slice(-cellsIn(width) || turns.length);
  for (const [place, turn] of shown.entries()) {
    const x = width - (shown.length - place) * PITCH + (PITCH - MARK);
    if (turn.skipped) {
      context.fillStyle = colours.skipped;
      context.fillRect(x - 1.5, 0, 1, height);
    }
    drawTurn(context, x, height, turn, colours);
  }
}

function drawTurn(
  context: CanvasRenderingContext2D,
  x: number,
  height: number,
  turn: StripTurn,
  colours: StripColours,
): void {
  const kind = turn.malformed ? 'malformed' : turn.action;
  context.fillStyle = colours[kind];
  if (kind === 'delegate') {
    context.beginPath();
    context.moveTo(x - 0.5, height);
    context.lineTo(x + MARK + 0.5, height);
    context.lineTo(x + MARK / 2, height * 0.3);
    context.fill();
    return;
  }
  const level =
    kind === 'silent' ? Math.max(LEAST, (turn.speak ?? 0) * height) : kind === 'speak' ? height : height / 2;
  context.fillRect(x, height - level, MARK, level);
}

/** How often each thing was decided: what the strip says to those who do not see it. */
export function counted(turns: readonly StripTurn[]): { turns: number; speak: number; delegate: number } {
  return {
    turns: turns.length,
    speak: turns.filter((turn) => turn.action === 'speak').length,
    delegate: turns.filter((turn) => turn.action === 'delegate').length,
  };
}
