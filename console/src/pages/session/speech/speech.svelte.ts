/**
 * A session that is spoken to and that speaks, as its page holds it: the microphone and its button, what was said, and
 * the words that are played with their captions.
 */

import { heard, partialAfter, speechMark, turnOf, withHeard, type Heard, type SpeechMark } from './heard';
import { Link, type LinkPorts, type LinkState } from './link';
import { SilentClock } from './loudspeaker';
import { faultOf, type MicrophoneFailed, type OpenMicrophone, type OpenMicrophoneBy } from './microphone';
import { Outlet, type Sink } from './outlet';
import { bytesOf, CHUNK_MS, CHUNK_SAMPLES } from './pcm';
import { Playback, type Caption, type SoundOut } from './playback';
import { down, OFF, toggled, up, type Press } from './press';
import { microphoneMessage, read, type Told } from './wire';

export interface Speaker extends SoundOut {
  mute: (isMuted: boolean) => void;
  close: () => void;
}

export interface SpeechPorts extends LinkPorts {
  openMicrophone: OpenMicrophoneBy;
  /** The browser's loudspeaker. */
  loudspeaker: (isMuted: boolean) => Speaker;
  /** Whether the browser lets sound through: somebody has pressed something on this page. */
  mayPlay: () => boolean;
  nowMs: () => number;
  /** Calls back again and again, often enough for words to be lit in time, until what it returns is called. */
  frames: (act: () => void) => () => void;
}

/** So much silence follows when the microphone is closed: the recognizer hears that the speaker is done. */
const TAIL_MS = 1_000;
const MOST_MARKS = 500;

export class Speech {
  press = $state.raw<Press>(OFF);
  /** Whether the browser hears the microphone at this moment. */
  isListening = $state(false);
  fault = $state.raw<MicrophoneFailed | null>(null);
  link = $state.raw<LinkState>('closed');
  /** What the gateway said against the last message. */
  problem = $state('');
  partial = $state.raw<Heard | null>(null);
  finals = $state.raw<readonly Heard[]>([]);
  /** What became of the words of turns that were to be spoken, by the turn's number. */
  marks = $state.raw<ReadonlyMap<number, SpeechMark>>(new Map());
  caption = $state.raw<Caption | null>(null);
  isMuted = $state(false);
  /** Whether what is spoken can be heard: browsers play nothing before somebody has pressed something. */
  isAudible = $state(false);
  /** Pieces of sound, spoken or heard, for which there was no room. */
  dropped = $state(0);
  #connection: Link | null = null;
  #outlet: { sink: Sink; outlet: Outlet; isAddressed: boolean | null } | null = null;
  #unsent = 0;
  #droppedBefore = 0;
  #microphone: OpenMicrophone | null = null;
  #isOpening = false;
  #endTail: () => void = () => undefined;
  #speaker: Speaker | null = null;
  readonly #playback = new Playback(new SilentClock());
  #endFrames: (() => void) | null = null;

  constructor(private readonly ports: SpeechPorts) {}

  /** Connects; `close` ends that. */
  open(): void {
    if (this.#connection !== null) return;
    this.#connection = new Link(this.ports, {
      state: (state) => (this.link = state),
      message: (data) => {
        const told = read(data);
        if (told !== null) this.tell(told);
      },
    });
    this.#connection.open();
  }

  close(): void {
    this.press = OFF;
    this.#hush();
    this.#endTail();
    this.#connection?.close();
    this.#connection = null;
    this.#playback.clear();
    this.#endFrames?.();
    this.#endFrames = null;
    this.caption = null;
    this.#speaker?.close();
    this.#speaker = null;
  }

  pressDown(): void {
    this.#pressed(down(this.press, this.ports.nowMs()));
  }

  pressUp(): void {
    this.#pressed(up(this.press, this.ports.nowMs()));
  }

  toggle(): void {
    this.#pressed(toggled(this.press));
  }

  mute(isMuted: boolean): void {
    this.isMuted = isMuted;
    this.#speaker?.mute(isMuted);
    this.#unlock();
  }

  tell(told: Told): void {
    if (told.kind === 'spoken') {
      this.#unlock();
      this.#playback.take(told.chunk, this.ports.nowMs());
      this.#count();
      this.#endFrames ??= this.ports.frames(() => this.#look());
      this.#look();
    } else if (told.kind === 'activity') this.#playback.activity(told.state, this.ports.nowMs());
    else if (told.kind === 'transcript') this.#heard(heard(told.event));
    else if (told.kind === 'speech') this.#spoken(speechMark(told.event));
    else this.#refused(told);
  }

  #refused({ title, detail, isOfMicrophone }: Extract<Told, { kind: 'problem' }>): void {
    if (isOfMicrophone) this.#pressed(OFF);
    this.problem = [title, detail].filter(Boolean).join(': ');
  }

  #heard(said: Heard | null): void {
    if (said === null) return;
    this.partial = partialAfter(this.partial, said, this.finals);
    this.finals = withHeard(this.finals, said);
  }

  #spoken(mark: SpeechMark | null): void {
    if (mark === null) return;
    if (mark.state === 'interrupted') this.#playback.stop(mark.utterance);
    const turn = turnOf(mark.utterance);
    // The same is told at two doors: what is over does not begin again.
    if (turn === null || (mark.state === 'started' && this.marks.has(turn))) return;
    this.marks = new Map([...this.marks, [turn, mark] as const].slice(-MOST_MARKS));
  }

  /** Lets sound through as soon as the browser does. */
  #unlock(): void {
    if (this.isAudible || !this.ports.mayPlay()) return;
    this.#speaker = this.ports.loudspeaker(this.isMuted);
    this.#playback.moveTo(this.#speaker);
    this.isAudible = true;
  }

  #look(): void {
    const caption = this.#playback.caption(this.ports.nowMs());
    if (JSON.stringify(caption) !== JSON.stringify(this.caption)) this.caption = caption;
    if (caption !== null) return;
    this.#endFrames?.();
    this.#endFrames = null;
  }

  #pressed(press: Press): void {
    this.press = press;
    this.#unlock();
    if (press.state === 'off') this.#hush();
    else if (this.#microphone === null && !this.#isOpening) void this.#listen();
  }

  async #listen(): Promise<void> {
    this.#isOpening = true;
    this.fault = null;
    this.problem = '';
    this.#endTail();
    try {
      const opened = await this.ports.openMicrophone(
        (chunk) => this.#send(chunk, true),
        () => this.#pressed(OFF),
      );
      // Let go while the browser still asked: nothing is listened to.
      if (this.press.state === 'off') opened.close();
      else this.#microphone = opened;
    } catch (error) {
      this.fault = faultOf(error);
      this.press = OFF;
    } finally {
      this.#isOpening = false;
      this.isListening = this.#microphone !== null;
    }
  }

  /** Closes the microphone at once. Silence follows in its place. */
  #hush(): void {
    if (this.#microphone === null) return;
    this.#microphone.close();
    this.#microphone = null;
    this.isListening = false;
    this.#tail(TAIL_MS / CHUNK_MS);
  }

  #tail(chunks: number): void {
    this.#endTail = this.ports.after(CHUNK_MS, () => {
      this.#send(new Int16Array(CHUNK_SAMPLES), false);
      if (chunks > 1) this.#tail(chunks - 1);
    });
  }

  #send(chunk: Int16Array, isAddressed: boolean): void {
    const sink = this.#connection?.sink ?? null;
    if (sink === null) {
      this.#unsent += 1;
      this.#count();
      return;
    }
    if (this.#outlet?.sink !== sink) {
      this.#droppedBefore += this.#outlet?.outlet.dropped ?? 0;
      this.#outlet = { sink, outlet: new Outlet(sink), isAddressed: null };
    }
    if (this.#outlet.isAddressed !== isAddressed) {
      this.#outlet.isAddressed = isAddressed;
      this.#outlet.outlet.offer(microphoneMessage(isAddressed));
    }
    this.#outlet.outlet.offer(bytesOf(chunk));
    this.#count();
  }

  #count(): void {
    const ofOutlets = this.#droppedBefore + (this.#outlet?.outlet.dropped ?? 0);
    this.dropped = this.#unsent + ofOutlets + this.#playback.dropped;
  }
}
