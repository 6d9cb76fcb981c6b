// The service, seen from the kiosk. A request that got no answer is sent again, the same body
// with the same idempotency key and a fresh signature, until there is an answer or nobody waits.

import { sign } from "./signing.js";

const TIMEOUT = 30_000; // milliseconds for one attempt
const PAUSES = [1, 2, 4, 8, 15]; // seconds between attempts; the last one repeats
const BUSY = [429, 503];
const MAX_PAUSE = 60; // seconds, whatever Retry-After says

/** An answer that is no success: RFC 9457. */
export class Problem extends Error {
  /** @param {number} status @param {string} code stable @param {string} detail English */
  constructor(status, code, detail) {
    super(code);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/**
 * @typedef {object} Session
 * @property {string} session_id
 * @property {string} challenge what the wallet signs
 * @property {string[]} poses what the frames have to show
 * @property {number} expires_in seconds
 */

export class Api {
  #device;
  #onWaiting;

  /**
   * @param {import("./device.js").Device | null} device null before registration
   * @param {(reason: "lost" | "busy" | null) => void} onWaiting told why we wait; null: no more
   */
  constructor(device, onWaiting) {
    this.#device = device;
    this.#onWaiting = onWaiting;
  }

  /**
   * @param {string} code one-time, from the operator
   * @param {string} publicKey base64url
   * @returns {Promise<{kiosk_id: string, name: string}>}
   */
  async register(code, publicKey) {
    const body = encode({ code, public_key: publicKey });
    const headers = { "content-type": "application/json" };
    return read(await fetch("/v1/kiosks", { method: "POST", headers, body }));
  }

  /** @param {AbortSignal} signal @returns {Promise<Session>} */
  openSession(signal) {
    return this.#post("/v1/sessions", encode({}), undefined, signal);
  }

  /**
   * @param {Uint8Array} body see `Visit.seal`
   * @param {string} idempotencyKey
   * @param {AbortSignal} signal
   * @returns {Promise<{outcome: string, enrollment_id?: string, receipt?: unknown}>}
   */
  enroll(body, idempotencyKey, signal) {
    return this.#post("/v1/enrollments", body, idempotencyKey, signal);
  }

  async #post(path, body, idempotencyKey, signal) {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#attempt(path, body, idempotencyKey, signal);
      if (response && !BUSY.includes(response.status)) {
        this.#onWaiting(null);
        return read(response);
      }
      this.#onWaiting(response ? "busy" : "lost");
      await pause(secondsUntilNext(response, attempt), signal);
    }
  }

  /** @returns {Promise<Response | null>} null where the network gave none */
  async #attempt(path, body, idempotencyKey, signal) {
    const headers = await sign({ method: "POST", path, body, idempotencyKey }, this.#device);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
    try {
      return await fetch(path, { method: "POST", headers, body, signal: limit, cache: "no-store" });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TypeError || error.name === "TimeoutError") return null;
      throw error;
    }
  }
}

/** @param {Response} response */
async function read(response) {
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Problem(response.status, answer.code ?? "unknown", answer.detail ?? "");
}

function secondsUntilNext(response, attempt) {
  const asked = Number(response?.headers.get("retry-after"));
  return asked > 0 ? Math.min(asked, MAX_PAUSE) : PAUSES[Math.min(attempt, PAUSES.length - 1)];
}

/** Wait, but no longer than until the network is back. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (settle) => () => {
      clearTimeout(timer);
      over.abort();
      settle(signal.reason);
    };
    const timer = setTimeout(end(resolve), 1000 * seconds);
    window.addEventListener("online", end(resolve), { signal: over.signal });
    signal.addEventListener("abort", end(reject), { signal: over.signal });
  });
}

const encode = (value) => new TextEncoder().encode(JSON.stringify(value));
