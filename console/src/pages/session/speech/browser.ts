/** The browser as a session's speech uses it. */

import { webSocket } from './link';
import { Loudspeaker } from './loudspeaker';
import { openMicrophone } from './microphone';
import type { SpeechPorts } from './speech.svelte';
import { audioAddress } from './wire';

export function browserPorts(session: string): SpeechPorts {
  return {
    openMicrophone,
    connect: (events) => webSocket(audioAddress(session, location), events),
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    loudspeaker: (isMuted) => new Loudspeaker(isMuted),
    mayPlay: () => navigator.userActivation.hasBeenActive,
    nowMs: () => Date.now(),
    frames: (act) => {
      let frame = 0;
      const again = (): void => {
        frame = requestAnimationFrame(again);
        act();
      };
      frame = requestAnimationFrame(again);
      return () => cancelAnimationFrame(frame);
    },
  };
}
