/** Draws the probability plot: a line for each action, a mark for each turn that spoke, and the turn that is chosen. */

import { bounds, segments, ticks, xOf, type Segment, type Size, type View } from './plot';
import { between } from './timeline';
import type { Action, Turn } from './turn';

export interface PlotColours {
  readonly silent: string;
  readonly speak: string;
  readonly delegate: string;
  readonly malformed: string;
  readonly skipped: string;
  readonly line: string;
  readonly text: string;
  readonly font: string;
}

export interface Picture {
  readonly turns: readonly Turn[];
  readonly view: View;
  readonly chosen: Turn | undefined;
  /** Sequences at which an alert opened or was updated. */
  readonly alerts: ReadonlySet<number>;
  readonly timeLabel: (timeS: number) => string;
}

/** The part above the axis is the plot, below it are the marks of the turns and the times. */
const MARKS = 12;
const AXIS = 16;

export function drawPlot(context: CanvasRenderingContext2D, size: Size, picture: Picture, colours: PlotColours): void {
  context.clearRect(0, 0, size.width, size.height);
  const plot = plotSize(size);
  drawGrid(context, plot, picture, colours);
  for (const action of ['silent', 'delegate', 'speak'] as const) {
    const pieces = segments(picture.turns, picture.view, action, plot);
    if (action === 'speak') pieces.forEach((piece) => fillUnder(context, piece, plot.height, colours.speak));
    pieces.forEach((piece) => stroke(context, piece, colours[action], action === 'silent' ? 1 : 1.75));
  }
  drawMarks(context, plot, picture, colours);
  drawChosen(context, plot, picture, colours);
}

/** The part of the canvas in which a probability has its place. */
export function plotSize(size: Size): Size {
  return { width: size.width, height: Math.max(1, size.height - MARKS - AXIS) };
}

function drawGrid(context: CanvasRenderingContext2D, plot: Size, picture: Picture, colours: PlotColours): void {
  const edges = bounds(picture.view, picture.turns);
  context.fillStyle = colours.line;
  for (const level of [0, 0.5, 1]) context.fillRect(0, Math.round((plot.height - 1) * level), plot.width, 1);
  context.font = colours.font;
  for (const timeS of ticks(edges)) {
    const x = Math.round(xOf(timeS, edges, plot.width));
    context.fillStyle = colours.line;
    context.fillRect(x, 0, 1, plot.height);
    context.fillStyle = colours.text;
    context.textAlign = x < 20 ? 'left' : x > plot.width - 20 ? 'right' : 'center';
    context.fillText(picture.timeLabel(timeS), x, plot.height + MARKS + AXIS - 3);
  }
}

function drawMarks(context: CanvasRenderingContext2D, plot: Size, picture: Picture, colours: PlotColours): void {
  const edges = bounds(picture.view, picture.turns);
  for (const turn of between(picture.turns, ...edges)) {
    const x = xOf(turn.time_s, edges, plot.width);
    const kind: Action | 'malformed' = turn.malformed ? 'malformed' : turn.action;
    context.fillStyle = colours[kind];
    const high = kind === 'silent' ? 2 : MARKS - 4;
    context.fillRect(x - 1.25, plot.height + MARKS - 1 - high, 2.5, high);
    if (turn.frames_skipped > 0) {
      context.fillStyle = colours.skipped;
      context.fillRect(x - 3, plot.height + 2, 1, MARKS - 3);
    }
    if (picture.alerts.has(turn.sequence)) {
      context.fillStyle = colours.speak;
      context.beginPath();
      context.moveTo(x - 4, 0);
      context.lineTo(x + 4, 0);
      context.lineTo(x, 6);
      context.fill();
    }
  }
}

function drawChosen(context: CanvasRenderingContext2D, plot: Size, picture: Picture, colours: PlotColours): void {
  if (picture.chosen === undefined) return;
  const x = xOf(picture.chosen.time_s, bounds(picture.view, picture.turns), plot.width);
  context.fillStyle = colours.text;
  context.fillRect(Math.round(x), 0, 1, plot.height + MARKS);
}

function stroke(context: CanvasRenderingContext2D, piece: Segment, colour: string, width: number): void {
  const [first] = piece;
  if (first === undefined) return;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineJoin = 'round';
  context.beginPath();
  context.moveTo(first.x - (piece.length === 1 ? 2 : 0), first.y);
  piece.forEach((point) => context.lineTo(point.x, point.y));
  context.stroke();
}

function fillUnder(context: CanvasRenderingContext2D, piece: Segment, bottom: number, colour: string): void {
  const [first, last] = [piece[0], piece.at(-1)];
  if (first === undefined || last === undefined) return;
  context.fillStyle = colour;
  context.globalAlpha = 0.16;
  context.beginPath();
  context.moveTo(first.x, bottom);
  piece.forEach((point) => context.lineTo(point.x, point.y));
  context.lineTo(last.x, bottom);
  context.fill();
  context.globalAlpha = 1;
}
