// Notices that nobody is there any more.

const TICK = 250; // milliseconds
const SIGNS_OF_LIFE = ["pointerdown", "keydown", "input", "wheel"];

export class IdleWatch {
  #onTick;
  #onEnd;
  #limit = 0;
  #deadline = 0;
  #timer;

  /**
   * @param {(secondsLeft: number) => void} onTick while it runs
   * @param {() => void} onEnd nobody was there for the whole time
   */
  constructor(onTick, onEnd) {
    this.#onTick = onTick;
    this.#onEnd = onEnd;
    for (const type of SIGNS_OF_LIFE) {
      window.addEventListener(type, () => this.touch(), { capture: true, passive: true });
    }
  }

  /** @param {number} seconds without a sign of life that end the turn */
  start(seconds) {
    this.stop();
    this.#limit = 1000 * seconds;
    this.touch();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Somebody is there. */
  touch() {
    this.#deadline = Date.now() + this.#limit;
    if (this.#timer) this.#onTick(this.#limit / 1000);
  }

  #tick() {
    const left = Math.ceil((this.#deadline - Date.now()) / 1000);
    if (left > 0) {
      this.#onTick(left);
    } else {
      this.stop();
      this.#onEnd();
    }
  }
}
