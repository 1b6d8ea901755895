/**
 * What one turn's prompt has more than the prompt before it. Within a chunk a prompt only grows at its end, so this is
 * all that was appended; where a new chunk began, or something else changed, it says so.
 */

import type { Message } from './prompt';

export type Relation = 'first' | 'appended' | 'new_chunk' | 'changed';

export interface Difference {
  readonly relation: Relation;
  /** So many messages at the beginning are the same as before. */
  readonly same: number;
  /** The messages after these. */
  readonly added: readonly Message[];
  /** So many messages of the prompt before are not in this one. */
  readonly dropped: number;
}

/** `chunks` are the numbers of the two prompts' chunks, where they are known. */
export function difference(before: readonly Message[] | null, now: readonly Message[], isNewChunk = false): Difference {
  if (before === null) return { relation: 'first', same: 0, added: now, dropped: 0 };
  const same = commonPrefix(before, now);
  const dropped = before.length - same;
  const relation = dropped === 0 ? 'appended' : isNewChunk ? 'new_chunk' : 'changed';
  return { relation, same, added: now.slice(same), dropped };
}

function commonPrefix(before: readonly Message[], now: readonly Message[]): number {
  let same = 0;
  while (same < before.length && same < now.length && isSame(before[same], now[same])) same += 1;
  return same;
}

function isSame(left: Message | undefined, right: Message | undefined): boolean {
  if (left?.role !== right?.role || left?.parts.length !== right?.parts.length) return false;
  return (left?.parts ?? []).every((part, index) => {
    const other = right?.parts[index];
    if (part.type === 'text') return other?.type === 'text' && part.text === other.text;
    return other?.type === 'image' && part.uuid === other.uuid;
  });
}
