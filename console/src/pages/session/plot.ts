/**
 * The geometry of the probability plot: which part of the history is in view, where a turn is on the canvas, and what a
 * key does. Pure: `plotCanvas.ts` draws it.
 */

import { between, indexOf } from './timeline';
import { ACTIONS, type Action, type Turn } from './turn';

export const SPANS_S: readonly number[] = [30, 60, 120, 300, 900, 3_600];
/** A line is broken where no turn was decided for so many times the usual step. */
const BREAK_AFTER_STEPS = 3;

export interface View {
  /** Model time at the right edge; null follows the newest turn. */
  readonly endS: number | null;
  readonly spanS: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An unbroken part of one action's line. */
export type Segment = readonly Point[];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const LIVE: View = { endS: null, spanS: 60 };

/** The times at the left and the right edge. */
export function bounds(view: View, turns: readonly Turn[]): readonly [number, number] {
  const endS = view.endS ?? turns.at(-1)?.time_s ?? view.spanS;
  return [endS - view.spanS, endS];
}

export function xOf(timeS: number, [fromS, toS]: readonly [number, number], width: number): number {
  return ((timeS - fromS) / (toS - fromS)) * width;
}

export function timeAt(x: number, [fromS, toS]: readonly [number, number], width: number): number {
  return fromS + (x / Math.max(1, width)) * (toS - fromS);
}

/** The line of one action, in pieces: broken where there are no probabilities or no turns. */
export function segments(turns: readonly Turn[], view: View, action: Action, size: Size): readonly Segment[] {
  const edges = bounds(view, turns);
  const shown = between(turns, ...edges);
  const longest = usualStep(shown) * BREAK_AFTER_STEPS;
  const pieces: Point[][] = [];
  let last: Turn | undefined;
  for (const turn of shown) {
    const probability = turn.p?.[action];
    if (probability === undefined) {
      last = undefined;
      continue;
    }
    if (last === undefined || turn.time_s - last.time_s > longest) pieces.push([]);
    pieces.at(-1)?.push({ x: xOf(turn.time_s, edges, size.width), y: (1 - probability) * size.height });
    last = turn;
  }
  return pieces;
}

/** The view with another part of the past; at the newest turn it follows again. */
export function moved(view: View, turns: readonly Turn[], byS: number): View {
  const [first, last] = [turns[0], turns.at(-1)];
  if (first === undefined || last === undefined) return view;
  const endS = Math.max((view.endS ?? last.time_s) + byS, first.time_s + view.spanS / 2);
  return { ...view, endS: endS >= last.time_s ? null : endS };
}

/** The view with the next shorter (-1) or longer (1) span; its right edge stays. */
export function zoomed(view: View, direction: -1 | 1): View {
  const index = SPANS_S.findIndex((spanS) => spanS >= view.spanS);
  const spanS = SPANS_S[Math.min(SPANS_S.length - 1, Math.max(0, index + direction))];
  return { ...view, spanS: spanS ?? view.spanS };
}

/** The view that shows the turn: as it is when it shows it already, else with the turn in its middle. */
export function showing(view: View, turns: readonly Turn[], turn: Turn): View {
  const [fromS, toS] = bounds(view, turns);
  if (turn.time_s >= fromS && turn.time_s <= toS) return view;
  return moved({ ...view, endS: turn.time_s }, turns, view.spanS / 2);
}

/** Whether the left edge has come so near to the oldest turn that older ones should be read. */
export function nearOldest(view: View, turns: readonly Turn[]): boolean {
  const first = turns[0];
  return first !== undefined && bounds(view, turns)[0] < first.time_s + view.spanS / 4;
}

/** The turn that a key chooses, beginning at the turn `sequence` (null: at the newest); undefined when none is held. */
export function chosenBy(
  key: string,
  turns: readonly Turn[],
  sequence: number | null,
  pageTurns = 10,
): Turn | undefined {
  const newest = turns.length - 1;
  const found = sequence === null ? newest : indexOf(turns, sequence);
  const place = found < 0 ? newest : found;
  const steps: Record<string, number> = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    PageUp: place - pageTurns,
    PageDown: place + pageTurns,
    Home: 0,
    End: newest,
  };
  const wanted = steps[key];
  return wanted === undefined ? undefined : turns[Math.min(newest, Math.max(0, wanted))];
}

/** Times at which the axis has a mark, at most seven, at round seconds. */
export function ticks([fromS, toS]: readonly [number, number]): readonly number[] {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 900].find((seconds) => (toS - fromS) / seconds <= 6) ?? 1_800;
  const first = Math.max(0, Math.ceil(fromS / step) * step);
  const count = Math.max(0, Math.floor((toS - first) / step) + 1);
  return Array.from({ length: count }, (_, index) => first + index * step);
}

/** The usual time between turns: the median, so that a gap does not count. */
function usualStep(turns: readonly Turn[]): number {
  const steps = turns.slice(1).map((turn, index) => turn.time_s - (turns[index]?.time_s ?? 0));
  steps.sort((left, right) => left - right);
  return steps[steps.length >> 1] ?? 1;
}

/** The probabilities of a turn in the order in which they are told. */
export function probabilities(turn: Turn): readonly (readonly [Action, number])[] {
  return ACTIONS.flatMap((action) => {
    const probability = turn.p?.[action];
    return probability === undefined ? [] : [[action, probability] as const];
  });
}
