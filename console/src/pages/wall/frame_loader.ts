/** The picture of one tile: the newest that is wanted, and never more than one request under way. */

export class FrameLoader {
  #wanted = '';
  #asked = '';
  #underway = false;

  /** `show` begins to load an address into the picture; the picture's events end it (`settled`). */
  constructor(private readonly show: (address: string) => void) {}

  /** Show this address as soon as the one under way is done. Those that were wanted between are left out. */
  want(address: string): void {
    this.#wanted = address;
    this.#next();
  }

  /** The picture has come, or will not come. */
  settled(): void {
    this.#underway = false;
    this.#next();
  }

  #next(): void {
    if (this.#underway || this.#wanted === this.#asked) return;
    this.#underway = true;
    this.#asked = this.#wanted;
    this.show(this.#asked);
  }
}
