import { byId, on } from "../dom.js";

/** What happens to the person's data; nothing has been asked of them yet. */
export function consent(kiosk, signal) {
  const { keepsImages } = kiosk.settings;
  byId("keep-image-choice").hidden = !keepsImages;
  on("agree", "click", () => {
    if (keepsImages) kiosk.visit.keepImage = byId("keep-image").checked;
    kiosk.happened("agreed");
  }, signal);
  on("decline", "click", () => kiosk.happened("left"), signal);
}
