import { Problem } from "../api.js";
import { openCamera } from "../camera.js";
import { byId, on } from "../dom.js";
import { drawCode } from "../qr.js";

const PREFIX = { enrollment: "personhood-enrol:1:", recovery: "personhood-recover:1:" };
const PAUSE = 150; // milliseconds between two looks for a code

/** The wallet reads the challenge and shows its signed answer, to the camera or by keyboard. */
export async function wallet(kiosk, signal) {
  byId("statement-error").textContent = "";
  const hint = kiosk.visit.kind === "recovery" ? "recover" : "more";
  kiosk.translator.show(byId("challenge-hint"), `wallet.challenge.${hint}`);
  on("statement-form", "submit", (event) => {
    event.preventDefault();
    take(kiosk, byId("statement").value.trim());
  }, signal);
  if (await showChallenge(kiosk, signal)) await scan(kiosk, signal);
}

/** @returns {Promise<boolean>} whether there is a session */
async function showChallenge(kiosk, signal) {
  try {
    if (!kiosk.visit.session) {
      kiosk.visit.session = await kiosk.api.openSession(signal);
      kiosk.endAfter(kiosk.visit.session.expires_in);
    }
  } catch (failure) {
    if (signal.aborted) return false;
    if (!(failure instanceof Problem)) throw failure;
    kiosk.happened("refused", { problem: failure });
    return false;
  }
  const { challenge } = kiosk.visit.session;
  byId("challenge").textContent = challenge;
  drawCode(byId("challenge-code"), challenge);
  return true;
}

async function scan(kiosk, signal) {
  const video = byId("scanner-video");
  const scanner = byId("scanner");
  scanner.dataset.state = "waiting";
  try {
    await openCamera(video, signal);
  } catch {
    scanner.dataset.state = "off"; // the statement can still be typed
    return;
  }
  scanner.dataset.state = "on";
  while (!signal.aborted) {
    const code = await kiosk.vision.readCode(video);
    if (signal.aborted) return;
    if (code) take(kiosk, code.trim());
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function take(kiosk, statement) {
  if (!kiosk.visit.session) return;
  const prefix = PREFIX[kiosk.visit.kind];
  if (!statement.startsWith(prefix) || /\s/.test(statement)) {
    kiosk.translator.show(byId("statement-error"), "wallet.not_a_statement", { prefix });
    return;
  }
  kiosk.visit.statement = statement;
  byId("statement").value = "";
  kiosk.happened("answered");
}
