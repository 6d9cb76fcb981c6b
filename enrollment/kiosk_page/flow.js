// Which screen follows which. No DOM here: the whole conversation can be read in one table.

/** @typedef {"starting"|"register"|"welcome"|"consent"|"wallet"|"capture"|"sending"|"result"|"closed"} Screen */

/** @type {Record<Screen, Record<string, Screen>>} */
const NEXT = {
  starting: { registered: "welcome", unregistered: "register", failed: "closed" },
  register: { registered: "welcome" },
  welcome: { begun: "consent" },
  consent: { agreed: "wallet" },
  wallet: { answered: "capture", refused: "result" },
  capture: { captured: "sending", refused: "result" },
  sending: { decided: "result", refused: "result" },
  result: { retake: "capture", rescan: "wallet" },
  closed: { reopened: "register" },
};

/** Screens on which there is a person, whose data has to go when the turn ends. */
const PERSONAL = new Set(["consent", "wallet", "capture", "sending", "result"]);

/**
 * Find the screen that follows.
 * @param {Screen} screen where we are
 * @param {string} event what happened; `left` ends a person's turn, `shut` ends the kiosk's
 * @returns {Screen}
 */
export function next(screen, event) {
  if (event === "shut") return "closed";
  if (event === "left" && PERSONAL.has(screen)) return "welcome";
  const target = NEXT[screen][event];
  if (!target) throw new Error(`${event} cannot happen on screen ${screen}`);
  return target;
}

/** @param {Screen} screen */
export function isPersonal(screen) {
  return PERSONAL.has(screen);
}

/** How far a turn has come, for the steps at the top; null where there is no turn. */
export function stepOf(screen) {
  const step = { consent: 0, wallet: 1, capture: 2, sending: 2, result: 3 }[screen];
  return step ?? null;
}

const RETAKE = [
  "face_blurred",
  "face_covered",
  "face_low_contrast",
  "face_too_bright",
  "face_too_dark",
  "face_too_small",
  "face_turned",
  "frame_mirrored",
  "frame_reused",
  "frames_inconsistent",
  "multiple_faces",
  "no_face",
  "pose_not_shown",
  "poses_mirrored",
  "presentation_attack_suspected",
];
const RESCAN = ["commitment_already_enrolled", "statement_invalid"];
const SHUT = ["kiosk_revoked", "kiosk_unknown"];

/**
 * What a person can do about a problem.
 * @param {string} code of the problem
 * @returns {"retake" | "rescan" | "left" | "shut"} the event that follows; `left` where only a
 *   new turn helps
 */
export function remedy(code) {
  if (SHUT.includes(code)) return "shut";
  if (RESCAN.includes(code)) return "rescan";
  return RETAKE.includes(code) ? "retake" : "left";
}
