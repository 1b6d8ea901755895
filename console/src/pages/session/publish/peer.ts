/** One WebRTC connection that sends a video track to the gateway's session. */

import type { Whip } from './whip';

/** So long candidates are gathered before the offer goes out with those that there are. */
const GATHER_MS = 1_500;
/** A connection that is `disconnected` often comes back by itself; after this time it is taken as lost. */
const DISCONNECTED_MS = 3_000;

export interface Peer {
  /** Settles when the connection is lost, or after `close`. */
  readonly lost: Promise<void>;
  close(): Promise<void>;
}

/** Connects, or rejects with the gateway's refusal; nothing is left open then. */
export type Connect = (whip: Whip, track: MediaStreamTrack, replaces: boolean) => Promise<Peer>;

export const connect: Connect = async (whip, track, replaces) => {
  const connection = new RTCPeerConnection({ iceServers: await whip.iceServers() });
  try {
    connection.addTransceiver(track, { direction: 'sendonly' });
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    const answer = await whip.offer(connection.localDescription?.sdp ?? '', replaces);
    try {
      await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    } catch (error) {
      await whip.close(answer.resource);
      throw error;
    }
    return {
      lost: whenLost(connection),
      close: async () => {
        connection.close();
        await whip.close(answer.resource);
      },
    };
  } catch (error) {
    connection.close();
    throw error;
  }
};

function gathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (connection.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(resolve, GATHER_MS);
    connection.addEventListener('icegatheringstatechange', look);
    look();
  });
}

function whenLost(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    connection.addEventListener('connectionstatechange', () => {
      clearTimeout(timer);
      const state = connection.connectionState;
      if (state === 'failed' || state === 'closed') resolve();
      if (state === 'disconnected') timer = setTimeout(resolve, DISCONNECTED_MS);
    });
  });
}
