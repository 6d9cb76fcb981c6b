import { byId, on } from "../dom.js";

const CONSENTS = ["review", "enrolled"];

/** What happens to the person's data; nothing has been asked of them yet. */
export function consent(kiosk, signal) {
  const { keepsImages } = kiosk.settings;
  for (const name of CONSENTS) byId(`consent-${name}-choice`).hidden = !keepsImages;
  on("agree", "click", () => {
    kiosk.visit.consents = CONSENTS.filter((name) => keepsImages && byId(`consent-${name}`).checked);
    kiosk.visit.kind = byId("recover").checked ? "recovery" : "enrollment";
    kiosk.happened("agreed");
  }, signal);
  on("decline", "click", () => kiosk.happened("left"), signal);
}
