/** The picture of one tile: the newest that is wanted, and never more than one request under way. */

export class FrameLoader<Picture> {
  #wanted = '';
  #asked = '';
  #underway = false;

  /** `load` gets the picture of an address; `show` shows one that has come. One that does not come changes nothing. */
  constructor(
    private readonly load: (address: string) => Promise<Picture>,
    private readonly show: (picture: Picture) => void,
  ) {}

  /** Show this address as soon as the one under way is done. Those that were wanted between are left out. */
  want(address: string): void {
    this.#wanted = address;
    if (!this.#underway) void this.#run();
  }

  async #run(): Promise<void> {
    this.#underway = true;
    while (this.#wanted !== this.#asked) {
      this.#asked = this.#wanted;
      try {
        this.show(await this.load(this.#asked));
      } catch {
        // The picture is gone, or the gateway is away: the one before stays until a newer one comes.
      }
    }
    this.#underway = false;
  }
}

/** The shape of a tile's place. A picture whose shape differs by less than a tenth fills it, and loses a little at its edge. */
const PLACE = 16 / 9;
const NEARLY = 0.1;

/** An image that is loaded and decoded, so that putting it into the page never shows an empty place. */
export async function loaded(address: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.alt = '';
  image.src = address;
  await image.decode();
  const differs = Math.abs(image.naturalWidth / image.naturalHeight / PLACE - 1);
  image.classList.toggle('fitting', differs < NEARLY);
  return image;
}
