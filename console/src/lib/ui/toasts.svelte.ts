/** Short messages at the edge of the page. Those that tell of a problem stay until they are dismissed. */
import { asProblem } from '../api/problem';

export interface Toast {
  id: number;
  tone: 'good' | 'critical';
  title: string;
  detail: string;
}

const SHOWN_MS = 5_000;
const MOST = 4;

class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  #next = 1;

  /** Something went well. */
  say(title: string, detail = ''): void {
    const { id } = this.#add({ tone: 'good', title, detail });
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  /** Something was refused. */
  problem(error: unknown): void {
    const problem = asProblem(error);
    if (problem.isLoggedOut) return;
    this.#add({
      tone: 'critical',
      title: problem.title,
      detail: [problem.detail, problem.nextStep].filter(Boolean).join(' '),
    });
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): Toast {
    const added = { ...toast, id: this.#next++ };
    this.shown = [...this.shown, added].slice(-MOST);
    return added;
  }
}

export const toasts = new Toasts();
