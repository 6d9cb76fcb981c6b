import { Problem } from "../api.js";

/** Waits for the decision, through a lost network too. */
export async function sending(kiosk, signal) {
  const { visit, api } = kiosk;
  try {
    const answer = await api.enroll(visit.body, visit.idempotencyKey, signal);
    kiosk.happened("decided", { answer });
  } catch (failure) {
    if (signal.aborted) return;
    if (!(failure instanceof Problem)) throw failure;
    kiosk.happened("refused", { problem: failure });
  } finally {
    visit.wipeFrames();
  }
}
