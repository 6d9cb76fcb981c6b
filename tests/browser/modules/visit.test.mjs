import assert from "node:assert/strict";
import { test } from "node:test";

import { Visit, base64Bytes } from "../../../enrollment/kiosk_page/visit.js";

const text = (bytes) => new TextDecoder().decode(bytes);

test("base64 as the standard has it, for every remainder", () => {
  for (const length of [0, 1, 2, 3, 4, 255, 256, 257]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (7 * i) % 256);
    assert.equal(text(base64Bytes(bytes)), Buffer.from(bytes).toString("base64"));
  }
});

function visitWithFrames() {
  const visit = new Visit();
  visit.session = { session_id: "s\"1", challenge: "K7QX", poses: ["front", "left"], expires_in: 9 };
  visit.statement = "personhood-enrol:1:abc";
  visit.frames = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(255)];
  return visit;
}

test("the request is the JSON object that the service takes", () => {
  const visit = visitWithFrames();
  visit.seal();
  assert.deepEqual(JSON.parse(text(visit.body)), {
    session_id: "s\"1",
    statement: "personhood-enrol:1:abc",
    kind: "enrollment",
    consents: [],
    frames: ["AQIDBA==", "/w=="],
  });
  visit.kind = "recovery";
  visit.consents = ["review"];
  visit.seal();
  const { kind, consents } = JSON.parse(text(visit.body));
  assert.deepEqual([kind, consents], ["recovery", ["review"]]);
});

test("wiping overwrites every picture and drops all else", () => {
  const visit = visitWithFrames();
  visit.seal();
  const held = [...visit.frames, visit.body];
  visit.wipe();
  assert.ok(held.every((bytes) => bytes.every((byte) => byte === 0)));
  assert.deepEqual({ ...visit }, { ...new Visit() });
});

test("each sealing has its own idempotency key", () => {
  const visit = visitWithFrames();
  visit.seal();
  const first = visit.idempotencyKey;
  visit.seal();
  assert.notEqual(visit.idempotencyKey, first);
});
