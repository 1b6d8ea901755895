/**
 * What this browser sends: at most one camera or screen at a time. It goes on while other pages of the console are shown.
 */

import { addressOf, request } from '../../lib/api/client';
import { capture, type CaptureKind } from './publish/capture';
import { pause } from './publish/pause';
import { connect } from './publish/peer';
import { IDLE, Publisher, type Publishing, type PublisherPorts } from './publish/publisher';
import { Whip } from './publish/whip';

export class OwnCamera {
  /** The session that it is sent to; null: nothing is sent. */
  session = $state<string | null>(null);
  state = $state.raw<Publishing>(IDLE);
  kind = $state<CaptureKind>('camera');
  /** Whether the session ends when this page is left; else it waits its grace time for the camera to come back. */
  endsWithPage = $state(false);
  #publisher: Publisher | null = null;
  /** Open, and not yet sent. No signal: in the teardown of a page a signal still has the value from before the change. */
  #opened: MediaStream | null = null;
  #openings = 0;

  constructor(private readonly ports: PublisherPorts) {
    addEventListener('pagehide', () => this.#left());
  }

  /**
   * Opens the camera or asks for a screen, before there is a session. Null: it was closed before it was open.
   * Rejects with `CaptureFailed`.
   */
  async open(kind: CaptureKind, deviceId: string): Promise<MediaStream | null> {
    this.close();
    const opening = this.#openings;
    const stream = await this.ports.capture(kind, deviceId);
    if (opening === this.#openings) return (this.#opened = stream);
    stopTracks(stream);
    return null;
  }

  /** Closes what `open` has opened, except what is sent to a session: `stop` closes that. */
  close(): void {
    this.#openings += 1;
    if (this.#opened !== null) stopTracks(this.#opened);
    this.#opened = null;
  }

  /** Sends to the session, with a camera that is open already or one that is opened now. */
  send(session: string, kind: CaptureKind, deviceId = '', stream: MediaStream | null = null): void {
    this.stop();
    if (stream === this.#opened) this.#opened = null;
    this.session = session;
    this.kind = kind;
    const publisher: Publisher = new Publisher(this.ports, new Whip(ask, session), kind, deviceId, (state) => {
      if (this.#publisher === publisher) this.state = state;
    });
    this.#publisher = publisher;
    void publisher.run(stream);
  }

  /** Closes camera and connection; the session waits its grace time. */
  stop(): void {
    this.#publisher?.stop();
  }

  #left(): void {
    if (this.session === null || !this.endsWithPage || this.state.phase === 'stopped') return;
    void request('delete', addressOf('/v1/sessions/{session}', { session: this.session }), { keepalive: true });
  }
}

function stopTracks(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}

function ask(method: 'options' | 'post' | 'delete', address: string, sdp?: string): Promise<Response> {
  const raw = sdp === undefined ? {} : { raw: { type: 'application/sdp', text: sdp } };
  return request(method, address, { ...raw, keepalive: method === 'delete' });
}

export const ownCamera = new OwnCamera({ capture, connect, pause });
