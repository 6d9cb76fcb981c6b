import { byId, on } from "../dom.js";

/** The kiosk cannot work; the operator may register it anew. */
export function closed(kiosk, signal, { reason }) {
  kiosk.translator.show(byId("closed-reason"), reason);
  on("reopen", "click", () => kiosk.register(), signal);
}
