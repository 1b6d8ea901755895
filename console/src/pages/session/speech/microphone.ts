/** The microphone of this browser, opened: chunks of 16-bit samples at 16 kHz until it is closed. */

import worklet from './microphone.worklet.ts?worker&url';

export type MicrophoneFault = 'refused' | 'missing' | 'busy' | 'insecure' | 'failed';

export class MicrophoneFailed extends Error {
  override readonly name = 'MicrophoneFailed';

  constructor(
    readonly fault: MicrophoneFault,
    message: string,
  ) {
    super(message);
  }
}

export interface OpenMicrophone {
  close: () => void;
}

/** Hears what is said: each chunk goes to `hear`. `lost` is called where the microphone is unplugged. */
export type OpenMicrophoneBy = (hear: (chunk: Int16Array) => void, lost: () => void) => Promise<OpenMicrophone>;

const FAULTS: Readonly<Record<string, MicrophoneFault>> = {
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
};
// The loudspeaker of this machine may say what the session speaks: the browser takes it out again.
const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

export const openMicrophone: OpenMicrophoneBy = async (hear, lost) => {
  if (!globalThis.isSecureContext) throw new MicrophoneFailed('insecure', '');
  const stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED }).catch((error: unknown) => {
    throw faultOf(error);
  });
  const context = new AudioContext();
  const close = (): void => {
    stream.getTracks().forEach((track) => track.stop());
    if (context.state !== 'closed') void context.close();
  };
  try {
    await context.audioWorklet.addModule(worklet);
    const node = new AudioWorkletNode(context, 'microphone', { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }: MessageEvent<Int16Array>) => hear(data);
    context.createMediaStreamSource(stream).connect(node);
    stream.getAudioTracks()[0]?.addEventListener('ended', lost);
    await context.resume();
    return {
      close: () => {
        node.port.onmessage = null;
        node.port.postMessage('close');
        close();
      },
    };
  } catch (error) {
    close();
    throw faultOf(error);
  }
};

export function faultOf(error: unknown): MicrophoneFailed {
  if (error instanceof MicrophoneFailed) return error;
  const [name, message] = error instanceof Error ? [error.name, error.message] : ['', String(error)];
  return new MicrophoneFailed(FAULTS[name] ?? 'failed', message);
}
