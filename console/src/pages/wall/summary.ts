/** How many sources are in which state, the most urgent state first. Pure. */
import { urgency, type State } from '../../lib/session_state';

export function summary(states: readonly State[]): [State, number][] {
  const counts = new Map<State, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].sort(([left], [right]) => urgency(left) - urgency(right));
}
