/** Which elements are on the screen. One observer for all of them; nothing is, while the page is in the background. */

const callbacks = new WeakMap<Element, (isVisible: boolean) => void>();
let observer: IntersectionObserver | null = null;

function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) callbacks.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: '80px' },
  );
  return observer;
}

/** Call `told` whenever the element comes onto the screen or leaves it; returns what ends that. */
export function watchVisibility(element: Element, told: (isVisible: boolean) => void): () => void {
  callbacks.set(element, told);
  shared().observe(element);
  return () => {
    callbacks.delete(element);
    shared().unobserve(element);
  };
}

class Page {
  isShown = $state(document.visibilityState === 'visible');

  constructor() {
    document.addEventListener('visibilitychange', () => (this.isShown = document.visibilityState === 'visible'));
  }
}

export const page = new Page();
