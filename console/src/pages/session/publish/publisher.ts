/**
 * Sends this browser's camera or screen to one session until it is told to stop.
 *
 * When the connection is lost it connects again, to the same session; when the camera is unplugged it opens the camera
 * again. How long a session waits for its camera is the server's to say: once the server answers that there is no such
 * session any more, it is over. A screen that a person has stopped sharing is shared again only by that person.
 */

import { asProblem } from '../../../lib/api/problem';
import { CaptureFailed, type Capture, type CaptureFault, type CaptureKind } from './capture';
import type { Connect, Peer } from './peer';
import { isFinal, isOver, type Whip } from './whip';

export type Phase = 'asking' | 'connecting' | 'live' | 'reconnecting' | 'stopped' | 'refused' | 'over';

export interface Publishing {
  readonly phase: Phase;
  /** The picture to show locally; null while there is none. */
  readonly stream: MediaStream | null;
  /** Attempts since the connection was last live. */
  readonly attempt: number;
  readonly fault: CaptureFault | 'share_ended' | '';
  /** The server's words about a refusal. */
  readonly problem: string;
}

export interface PublisherPorts {
  readonly capture: Capture;
  readonly connect: Connect;
  /** Resolves after so many milliseconds, or sooner when a device was plugged in or the network is back. */
  readonly pause: (ms: number) => Promise<void>;
}

export const IDLE: Publishing = { phase: 'stopped', stream: null, attempt: 0, fault: '', problem: '' };

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** 0.5 s, 1 s, 2 s, 4 s, then every 5 s. */
export function pauseMs(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, attempt - 1));
}

export class Publisher {
  private state: Publishing = IDLE;
  private stopped = false;
  private peer: Peer | null = null;
  /** A person who starts the camera takes the session over; a camera that comes back by itself does not. */
  private isFirst = true;
  private wakeStop: () => void = () => undefined;
  private readonly whenStopped = new Promise<void>((resolve) => (this.wakeStop = resolve));

  constructor(
    private readonly ports: PublisherPorts,
    private readonly whip: Whip,
    private readonly kind: CaptureKind,
    private readonly deviceId: string,
    private readonly changed: (state: Publishing) => void,
  ) {}

  get session(): string {
    return this.whip.session;
  }

  /** Runs until `stop`, a final refusal, or the end of the session. `stream` is a camera that is open already. */
  async run(stream: MediaStream | null = null): Promise<void> {
    this.tell({ phase: stream === null ? 'asking' : 'connecting', stream });
    while (!this.stopped) {
      try {
        await this.sendOnce();
      } catch (error) {
        if (!this.goesOn(error)) break;
      }
      if (this.stopped) break;
      await Promise.race([this.ports.pause(pauseMs(this.state.attempt)), this.whenStopped]);
    }
    await this.release();
    if (this.stopped) this.tell({ phase: 'stopped' });
  }

  /** Closes camera and connection. The session itself goes on until its grace time is over. */
  stop(): void {
    this.stopped = true;
    this.wakeStop();
  }

  /** One connection, from the camera to its loss. */
  private async sendOnce(): Promise<void> {
    const track = await this.track();
    if (this.stopped) return;
    this.tell({ phase: this.state.attempt === 0 ? 'connecting' : 'reconnecting' });
    this.peer = await this.ports.connect(this.whip, track, this.isFirst);
    this.isFirst = false;
    this.tell({ phase: 'live', attempt: 0, fault: '', problem: '' });
    const end = await Promise.race([
      this.peer.lost.then(() => 'lost' as const),
      ended(track).then(() => 'ended' as const),
      this.whenStopped.then(() => 'stopped' as const),
    ]);
    await this.peer.close();
    this.peer = null;
    if (end === 'stopped') return;
    if (end === 'ended' && this.kind === 'screen') throw new ShareEnded();
    this.tell({ phase: 'reconnecting', attempt: 1 });
  }

  private async track(): Promise<MediaStreamTrack> {
    const held = this.state.stream?.getVideoTracks().find((track) => track.readyState === 'live');
    if (held !== undefined) return held;
    const stream = await this.ports.capture(this.kind, this.deviceId);
    const track = stream.getVideoTracks()[0];
    if (track === undefined) throw new CaptureFailed('missing', 'the camera has no picture');
    this.tell({ stream });
    return track;
  }

  /** Whether another attempt makes sense after this error; says what became of the camera if not. */
  private goesOn(error: unknown): boolean {
    if (error instanceof ShareEnded) return this.over({ phase: 'stopped', fault: 'share_ended' });
    if (error instanceof CaptureFailed) {
      const isLost = this.state.attempt > 0 && this.kind === 'camera' && error.fault !== 'refused';
      if (!isLost) return this.over({ phase: 'stopped', fault: error.fault, problem: error.message });
      return this.again({ fault: error.fault });
    }
    const refusal = asProblem(error);
    const problem = refusal.message;
    if (isOver(refusal)) return this.over({ phase: 'over', problem });
    if (isFinal(refusal)) return this.over({ phase: 'refused', problem });
    return this.again({ problem });
  }

  private again(change: Partial<Publishing>): true {
    this.tell({ phase: 'reconnecting', attempt: this.state.attempt + 1, ...change });
    return true;
  }

  private over(change: Partial<Publishing>): false {
    this.tell(change);
    return false;
  }

  private async release(): Promise<void> {
    await this.peer?.close();
    this.peer = null;
    this.state.stream?.getTracks().forEach((track) => track.stop());
    this.tell({ stream: null });
  }

  private tell(change: Partial<Publishing>): void {
    this.state = { ...this.state, ...change };
    this.changed(this.state);
  }
}

class ShareEnded extends Error {}

function ended(track: MediaStreamTrack): Promise<void> {
  if (track.readyState === 'ended') return Promise.resolve();
  return new Promise((resolve) => track.addEventListener('ended', () => resolve(), { once: true }));
}
