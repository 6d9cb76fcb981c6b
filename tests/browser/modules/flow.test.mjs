import assert from "node:assert/strict";
import { test } from "node:test";

import { isPersonal, next, remedy } from "../../../enrollment/kiosk_page/flow.js";

test("a turn runs from welcome to result", () => {
  const events = ["unregistered", "registered", "begun", "agreed", "answered", "captured", "decided"];
  const screens = ["register", "welcome", "consent", "wallet", "capture", "sending", "result"];
  let screen = "starting";
  const seen = events.map((event) => (screen = next(screen, event)));
  assert.deepEqual(seen, screens);
});

test("a person may leave from every screen that is theirs", () => {
  for (const screen of ["consent", "wallet", "capture", "sending", "result"]) {
    assert.ok(isPersonal(screen));
    assert.equal(next(screen, "left"), "welcome");
  }
});

test("nothing skips consent, and nobody leaves where nobody is", () => {
  assert.throws(() => next("welcome", "answered"));
  assert.throws(() => next("consent", "captured"));
  assert.throws(() => next("welcome", "left"));
});

test("a revoked kiosk closes from anywhere", () => {
  assert.equal(next("wallet", "shut"), "closed");
  assert.equal(next("closed", "reopened"), "register");
});

test("what helps depends on the problem", () => {
  assert.equal(remedy("face_blurred"), "retake");
  assert.equal(remedy("statement_invalid"), "rescan");
  assert.equal(remedy("kiosk_revoked"), "shut");
  assert.equal(remedy("session_expired"), "left");
  assert.equal(remedy("never_heard_of"), "left");
});
