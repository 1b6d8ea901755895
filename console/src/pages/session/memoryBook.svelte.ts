/** The memory of one session: read, read anew when it has changed, and asked. */

import { api } from '../../lib/api/client';
import { asProblem, type ApiProblem } from '../../lib/api/problem';
import { spans, type MemoryOut, type RecallOut } from './memory';

export class MemoryBook {
  memory = $state.raw<MemoryOut | null>(null);
  recalled = $state.raw<RecallOut | null>(null);
  /** Why the memory could not be read, or asked. */
  problem = $state.raw<ApiProblem | null>(null);
  isAsking = $state(false);
  readonly spans = $derived(this.memory === null ? [] : spans(this.memory));
  #reading = false;
  #again = false;

  constructor(private readonly session: string) {}

  /** Reads it anew; while that is under way, another call reads once more after it. */
  async read(): Promise<void> {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.memory = await api.get('/v1/sessions/{session}/memory', { path: { session: this.session } });
        this.problem = null;
      }
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.#reading = false;
    }
  }

  /** A block was written, or given up: what is shown is read anew, and what nobody looked at is not. */
  changed(): void {
    if (this.memory !== null) void this.read();
  }

  /** Asks what the memory holds about a question, in this browser's time zone. The model is not asked. */
  async recall(question: string): Promise<void> {
    this.isAsking = true;
    try {
      this.recalled = await api.post('/v1/sessions/{session}/memory/recall', {
        path: { session: this.session },
        body: { question, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone, lines: 8 },
      });
      this.problem = null;
    } catch (error) {
      this.recalled = null;
      this.problem = asProblem(error);
    } finally {
      this.isAsking = false;
    }
  }
}
