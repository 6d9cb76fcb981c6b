// The page's side of the worker that looks at pixels.

/** @typedef {import("./yunet.js").Face} Face */
/** @typedef {import("./measures.js").Measures} Measures */

/**
 * What one frame shows.
 * @typedef {object} Observation
 * @property {number} width of the frame, pixels
 * @property {number} height
 * @property {Face[]} faces the widest first
 * @property {Measures | null} measures of the widest face
 */

export class Vision {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #lastId = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(result);
    });
    this.#worker.addEventListener("error", ({ message }) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(message));
      this.#waiting.clear();
    });
  }

  /** Load the detector. Rejects if the service does not serve it. @returns {Promise<void>} */
  prepare() {
    return this.#ask("prepare");
  }

  /** @param {HTMLVideoElement} video @returns {Promise<Observation>} */
  async observe(video) {
    const bitmap = await createImageBitmap(video);
    return this.#ask("observe", { bitmap }, [bitmap]);
  }

  /** Encode the frame observed last as JPEG. @returns {Promise<Uint8Array>} */
  keep() {
    return this.#ask("keep");
  }

  /** Read a QR code in the picture. @param {HTMLVideoElement} video @returns {Promise<string | null>} */
  async readCode(video) {
    const bitmap = await createImageBitmap(video);
    return this.#ask("readCode", { bitmap }, [bitmap]);
  }

  /** Overwrite the frame that the worker holds. @returns {Promise<void>} */
  forget() {
    return this.#ask("forget");
  }

  #ask(task, given = {}, transfer = []) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task, ...given }, transfer);
    });
  }
}
