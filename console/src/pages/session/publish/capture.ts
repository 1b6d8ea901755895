/** This browser's camera or screen. */

export type CaptureKind = 'camera' | 'screen';
export type CaptureFault = 'refused' | 'missing' | 'busy' | 'insecure' | 'failed';

export class CaptureFailed extends Error {
  constructor(
    readonly fault: CaptureFault,
    message: string,
  ) {
    super(message);
    this.name = 'CaptureFailed';
  }
}

/** Opens the camera or asks for a screen; rejects with `CaptureFailed`. */
export type Capture = (kind: CaptureKind, deviceId: string) => Promise<MediaStream>;

/** Enough for the model, which sees a picture of a few hundred pixels; a camera may give less. */
const VIDEO = { width: { ideal: 1_280 }, height: { ideal: 720 }, frameRate: { ideal: 15, max: 30 } };

export const capture: Capture = async (kind, deviceId) => {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) throw new CaptureFailed('insecure', 'the page is not served over HTTPS or from localhost');
  try {
    if (kind === 'screen') return await devices.getDisplayMedia({ video: { frameRate: { ideal: 5, max: 15 } } });
    const chosen = deviceId === '' ? {} : { deviceId: { exact: deviceId } };
    return await devices.getUserMedia({ video: { ...VIDEO, ...chosen } });
  } catch (error) {
    throw captureFailed(error);
  }
};

/** The cameras by name; names are empty until a camera was allowed once. */
export async function cameras(): Promise<readonly MediaDeviceInfo[]> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const found = (await devices?.enumerateDevices()) ?? [];
  return found.filter((device) => device.kind === 'videoinput');
}

export function captureFailed(error: unknown): CaptureFailed {
  const name = error instanceof Error ? error.name : '';
  const faults: Record<string, CaptureFault> = {
    NotAllowedError: 'refused',
    SecurityError: 'refused',
    NotFoundError: 'missing',
    OverconstrainedError: 'missing',
    NotReadableError: 'busy',
    AbortError: 'busy',
  };
  return new CaptureFailed(faults[name] ?? 'failed', error instanceof Error ? error.message : String(error));
}
