/** Canvases that follow the width of their place and are sharp on every screen. */

/** Tell the width of the canvas, in CSS pixels, now and whenever it changes. Returns how to stop. */
export function watchWidth(canvas: HTMLCanvasElement, tell: (width: number) => void): () => void {
  const observer = new ResizeObserver(([entry]) => tell(entry?.contentRect.width ?? 0));
  observer.observe(canvas);
  return () => observer.disconnect();
}

/** What to draw with: one unit is a CSS pixel, whatever the screen's density. Null while the canvas has no width. */
export function fitted(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return null;
  const ratio = devicePixelRatio;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
