// HTTP Message Signatures (RFC 9421) with Ed25519, and Content-Digest (RFC 9530).

const LABEL = "kiosk";
const TAG = "personhood-kiosk";
const LIFETIME = 120; // seconds
const NONCE_BYTES = 16;

/**
 * @typedef {object} UnsignedRequest
 * @property {string} method upper case
 * @property {string} path as the service sees it, without query
 * @property {Uint8Array} body exactly as it will be sent
 * @property {string} [idempotencyKey] covered by the signature where there is one
 */

/**
 * Sign a request anew: each attempt has its own time and nonce.
 * @param {UnsignedRequest} request
 * @param {{id: string, privateKey: CryptoKey}} device
 * @param {{now?: number, nonce?: string}} [fixed] milliseconds since 1970, and the nonce; for tests
 * @returns {Promise<Record<string, string>>} all headers to send
 */
export async function sign(request, device, { now = Date.now(), nonce = makeNonce() } = {}) {
  const headers = {
    "content-type": "application/json",
    "content-digest": `sha-256=:${base64(await crypto.subtle.digest("SHA-256", request.body))}:`,
  };
  if (request.idempotencyKey) headers["idempotency-key"] = request.idempotencyKey;
  const created = Math.floor(now / 1000);
  const covered = ["@method", "@path", ...Object.keys(headers)];
  const parameters =
    `(${covered.map((name) => `"${name}"`).join(" ")});created=${created}` +
    `;expires=${created + LIFETIME};nonce="${nonce}";keyid="${device.id}";alg="ed25519";tag="${TAG}"`;
  const base = signatureBase(request, headers, covered, parameters);
  const signature = await crypto.subtle.sign("Ed25519", device.privateKey, utf8(base));
  return {
    ...headers,
    "signature-input": `${LABEL}=${parameters}`,
    signature: `${LABEL}=:${base64(signature)}:`,
  };
}

/**
 * RFC 9421, section 2.5: one line a covered component, and the parameters last.
 * @param {UnsignedRequest} request
 * @param {Record<string, string>} headers names in lower case
 * @param {string[]} covered component names
 * @param {string} parameters the inner list as it stands in Signature-Input
 */
export function signatureBase(request, headers, covered, parameters) {
  const derived = { "@method": request.method, "@path": request.path };
  const lines = covered.map((name) => `"${name}": ${derived[name] ?? headers[name]}`);
  return [...lines, `"@signature-params": ${parameters}`].join("\n");
}

/** 22 characters, 128 random bits. */
function makeNonce() {
  return base64url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

/** @param {ArrayBuffer | Uint8Array} bytes */
function base64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/** @param {ArrayBuffer | Uint8Array} bytes without padding */
export function base64url(bytes) {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const utf8 = (text) => new TextEncoder().encode(text);
