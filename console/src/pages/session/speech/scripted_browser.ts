/** A browser for tests of speech: its microphone, loudspeaker, connection and clock do what a test says. */

import { MicrophoneFailed } from './microphone';
import type { Message } from './outlet';
import type { SocketEvents } from './link';
import type { Speaker, SpeechPorts } from './speech.svelte';

export class ScriptedSocket {
  bufferedAmount = 0;
  isClosed = false;
  readonly sent: Message[] = [];

  constructor(readonly events: SocketEvents) {}

  send(message: Message): void {
    this.sent.push(message);
  }

  close(): void {
    this.isClosed = true;
  }

  /** What was said of the sound, in order; a number stands for so many chunks. */
  get told(): (boolean | number)[] {
    const told: (boolean | number)[] = [];
    for (const message of this.sent) {
      const last = told.at(-1);
      if (typeof message === 'string') told.push((JSON.parse(message) as { is_addressed: boolean }).is_addressed);
      else if (typeof last === 'number') told[told.length - 1] = last + 1;
      else told.push(1);
    }
    return told;
  }
}

export class ScriptedSpeaker implements Speaker {
  nowS = 10;
  isPaused = false;
  isClosed = false;
  readonly played: { atS: number; isStopped: boolean }[] = [];

  constructor(public isMuted: boolean) {}

  mute(isMuted: boolean): void {
    this.isMuted = isMuted;
  }

  play(_samples: Float32Array, _rateHz: number, atS: number): () => void {
    const piece = { atS, isStopped: false };
    this.played.push(piece);
    return () => (piece.isStopped = true);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.isClosed = true;
  }
}

export class ScriptedBrowser {
  nowMs = 1_000;
  hasBeenUsed = true;
  /** What the browser says against the microphone. */
  fault: MicrophoneFailed | null = null;
  readonly sockets: ScriptedSocket[] = [];
  readonly speakers: ScriptedSpeaker[] = [];
  readonly microphones: { hear: (chunk: Int16Array) => void; lost: () => void; isClosed: boolean }[] = [];
  #waits: (() => void)[] = [];
  #frames = new Set<() => void>();

  get socket(): ScriptedSocket | undefined {
    return this.sockets.at(-1);
  }

  get isDrawing(): boolean {
    return this.#frames.size > 0;
  }

  readonly ports: SpeechPorts = {
    openMicrophone: (hear, lost) => {
      if (this.fault !== null) return Promise.reject(this.fault);
      const microphone = { hear, lost, isClosed: false };
      this.microphones.push(microphone);
      return Promise.resolve({ close: () => (microphone.isClosed = true) });
    },
    connect: (events) => {
      const socket = new ScriptedSocket(events);
      this.sockets.push(socket);
      return socket;
    },
    after: (_ms, act) => {
      this.#waits.push(act);
      return () => (this.#waits = this.#waits.filter((wait) => wait !== act));
    },
    loudspeaker: (isMuted) => {
      const speaker = new ScriptedSpeaker(isMuted);
      this.speakers.push(speaker);
      return speaker;
    },
    mayPlay: () => this.hasBeenUsed,
    nowMs: () => this.nowMs,
    frames: (act) => {
      this.#frames.add(act);
      return () => this.#frames.delete(act);
    },
  };

  /** All that waits for its time, and what that waits for in turn. */
  pass(): void {
    for (let act = this.#waits.shift(); act !== undefined; act = this.#waits.shift()) act();
  }

  draw(): void {
    [...this.#frames].forEach((act) => act());
  }
}
