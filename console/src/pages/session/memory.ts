/**
 * What a session remembers, as the page shows it: one line of spans over time, each in its tier. Pure.
 *
 * Texts are a summariser's, and tell of pictures: they are shown as text, and as nothing else.
 */

import type { components } from '../../lib/api/schema';

export type MemoryOut = components['schemas']['MemoryOut'];
export type RecallOut = components['schemas']['RecallOut'];
export type MemoryFrame = components['schemas']['MemoryFrameOut'];

/** `long` has merged blocks, `mid` summaries; of an `unwritten` span a few pictures are kept; `turns` are as they were. */
export type TierName = 'forgotten' | 'long' | 'mid' | 'unwritten' | 'turns';

export interface Span {
  /** Names it among the spans of one memory. */
  readonly key: string;
  readonly tier: TierName;
  readonly fromS: number;
  readonly toS: number;
  /** Share of the whole line at which it begins, and its width: 0 to 1. */
  readonly begin: number;
  readonly width: number;
  readonly tokens: number;
  readonly text: string;
  readonly level: number;
  readonly frames: readonly MemoryFrame[];
}

type Found = Omit<Span, 'begin' | 'width'>;

/** A span that is narrower than this could not be clicked. */
const LEAST_SHARE = 0.012;

/** The spans, oldest first, side by side over the whole line. */
export function spans(memory: MemoryOut): readonly Span[] {
  const found = [...written(memory), ...unwritten(memory)].sort((left, right) => left.fromS - right.fromS);
  const all = [...forgotten(memory), ...found, ...turns(memory)].filter((span) => span.toS > span.fromS);
  const widths = all.map((span) => span.toS - span.fromS);
  const seconds = widths.reduce((sum, width) => sum + width, 0);
  const shares = widths.map((width) => Math.max(width / seconds, LEAST_SHARE));
  const sum = shares.reduce((total, share) => total + share, 0);
  let begin = 0;
  return all.map((span, index) => {
    const width = (shares[index] ?? 0) / sum;
    const placed = { ...span, begin, width };
    begin += width;
    return placed;
  });
}

/** The span of that key, or none where it has been merged meanwhile. */
export function spanOf(all: readonly Span[], key: string | null): Span | null {
  return all.find((span) => span.key === key) ?? null;
}

/** How full a tier is: 0 to 1. */
export function fullness(tier: { tokens: number; limit_tokens: number }): number {
  return tier.limit_tokens > 0 ? Math.min(1, tier.tokens / tier.limit_tokens) : 0;
}

/** When a model time was, in milliseconds since the epoch; null while the session's clock is unknown. */
export function momentOf(memory: { began_at: string | null }, seconds: number): number | null {
  return memory.began_at === null ? null : Date.parse(memory.began_at) + seconds * 1_000;
}

function forgotten(memory: MemoryOut): Found[] {
  return [{ ...NOTHING, key: 'forgotten', tier: 'forgotten', fromS: 0, toS: memory.forgotten_s }];
}

function written(memory: MemoryOut): Found[] {
  return memory.blocks.map((block) => ({
    ...NOTHING,
    key: block.id,
    tier: block.level > 0 ? 'long' : 'mid',
    fromS: block.from_s,
    toS: block.to_s,
    tokens: block.tokens,
    text: block.text,
    level: block.level,
  }));
}

function unwritten(memory: MemoryOut): Found[] {
  return memory.unwritten.map((span) => ({
    ...NOTHING,
    key: `unwritten-${span.from_s}`,
    tier: 'unwritten',
    fromS: span.from_s,
    toS: span.to_s,
    frames: span.frames,
  }));
}

function turns(memory: MemoryOut): Found[] {
  if (memory.turns_from_s === null || memory.time_s === null) return [];
  return [{ ...NOTHING, key: 'turns', tier: 'turns', fromS: memory.turns_from_s, toS: memory.time_s }];
}

const NOTHING = { tokens: 0, text: '', level: 0, frames: [] as readonly MemoryFrame[] };
