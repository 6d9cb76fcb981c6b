// Signs a request as the page does, with a key that the caller knows.
// {"request": {"method", "path", "idempotencyKey"?}, "body", "id", "key": base64 of PKCS #8}

import { sign } from "../../../enrollment/kiosk_page/signing.js";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { request, body, id, key, now } = JSON.parse(Buffer.concat(chunks));
const privateKey = await crypto.subtle.importKey(
  "pkcs8", Buffer.from(key, "base64"), "Ed25519", false, ["sign"],
);
const headers = await sign(
  { ...request, body: new TextEncoder().encode(body) }, { id, privateKey }, now ? { now } : {},
);
process.stdout.write(JSON.stringify(headers));
