// All that the page knows of the person before it, in one place, so that it can go at once.

const ALPHABET = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PADDING = "=".charCodeAt(0);

export class Visit {
  /** @type {import("./api.js").Session | null} */
  session = null;
  statement = "";
  /** @type {"enrollment" | "recovery"} what the person came for */
  kind = "enrollment";
  /** @type {("review" | "enrolled")[]} for what pictures may be kept */
  consents = [];
  idempotencyKey = "";
  /** @type {Uint8Array[]} JPEG, one a pose */
  frames = [];
  /** @type {Uint8Array | null} the request, ready to be sent, and sent again */
  body = null;

  /** Whether every pose has its frame. */
  get isComplete() {
    return this.session !== null && this.frames.length === this.session.poses.length;
  }

  /** Make the request of the frames, and give it the key that names it in every attempt. */
  seal() {
    this.body = enrollmentBody(this);
    this.idempotencyKey = crypto.randomUUID();
  }

  /** Overwrite and drop the pictures; the session and the wallet's answer stay. */
  wipeFrames() {
    for (const bytes of [...this.frames, this.body]) bytes?.fill(0);
    this.frames = [];
    this.body = null;
    this.idempotencyKey = "";
  }

  /** Overwrite the pictures and drop all else: the next person finds nothing. */
  wipe() {
    this.wipeFrames();
    this.session = null;
    this.statement = "";
    this.kind = "enrollment";
    this.consents = [];
  }
}

/**
 * Write the JSON object as bytes. Pictures never become strings, which nobody could overwrite.
 * @param {Visit} visit
 */
export function enrollmentBody({ session, statement, kind, consents, frames }) {
  const text = (value) => new TextEncoder().encode(value);
  const head = JSON.stringify({ session_id: session.session_id, statement, kind, consents });
  const parts = [text(`${head.slice(0, -1)},"frames":[`)];
  frames.forEach((frame, i) => parts.push(text(i ? ',"' : '"'), base64Bytes(frame), text('"')));
  parts.push(text("]}"));
  const body = join(parts);
  for (const part of parts) part.fill(0);
  return body;
}

/** Base64 (RFC 4648) as ASCII bytes. @param {Uint8Array} bytes */
export function base64Bytes(bytes) {
  const encoded = new Uint8Array(4 * Math.ceil(bytes.length / 3));
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const [a, b, c] = [bytes[from], bytes[from + 1], bytes[from + 2]];
    encoded[to] = ALPHABET[a >> 2];
    encoded[to + 1] = ALPHABET[((a & 3) << 4) | (b >> 4)];
    encoded[to + 2] = b === undefined ? PADDING : ALPHABET[((b & 15) << 2) | (c >> 6)];
    encoded[to + 3] = c === undefined ? PADDING : ALPHABET[c & 63];
  }
  return encoded;
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}
