// Notices that nobody is there any more.

const TICK = 250; // milliseconds
const SIGNS_OF_LIFE = ["pointerdown", "keydown", "input", "wheel"];

export class IdleWatch {
  #onTick;
  #onEnd;
  #limit = 0;
  #warning = 0;
  #left = 0;
  #deadline = 0;
  #timer;

  /**
   * @param {(secondsLeft: number) => void} onTick while it runs
   * @param {() => void} onEnd nobody was there for the whole time
   */
  constructor(onTick, onEnd) {
    this.#onTick = onTick;
    this.#onEnd = onEnd;
    // Once people are warned, only `touch` counts: a finger that lands as the warning appears
    // must not make it vanish and hit what lies beneath.
    const notice = () => this.#left > this.#warning && this.touch();
    for (const type of SIGNS_OF_LIFE) {
      window.addEventListener(type, notice, { capture: true, passive: true });
    }
  }

  /**
   * @param {number} seconds without a sign of life that end the turn
   * @param {number} warning of them, the last, in which people have been warned
   */
  start(seconds, warning = 0) {
    this.stop();
    this.#limit = seconds;
    this.#warning = warning;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.touch();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Somebody is there. */
  touch() {
    this.#deadline = Date.now() + 1000 * this.#limit;
    if (this.#timer) this.#tick();
  }

  #tick() {
    this.#left = Math.ceil((this.#deadline - Date.now()) / 1000);
    if (this.#left > 0) {
      this.#onTick(this.#left);
    } else {
      this.stop();
      this.#onEnd();
    }
  }
}
