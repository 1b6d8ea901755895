/** Waits, but not longer than until a device was plugged in or the network came back. */
export function pause(ms: number): Promise<void> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = (): void => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    devices?.addEventListener('devicechange', end, { signal: over.signal });
    window.addEventListener('online', end, { signal: over.signal });
  });
}
