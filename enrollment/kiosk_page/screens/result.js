import { byId, on } from "../dom.js";
import { remedy } from "../flow.js";
import { drawCode } from "../qr.js";

const ICONS = { accepted: "check", duplicate: "known", review: "unsure", refused: "stop" };

/** Says what was decided, or why nothing was, and what to do next. */
export function result(kiosk, signal, { answer, problem }) {
  const event = problem ? remedy(problem.code) : "left";
  if (event === "shut") {
    kiosk.happened("shut", { reason: `problem.${problem.code}` });
    return;
  }
  if (problem) showProblem(kiosk.translator, problem);
  else showOutcome(kiosk.translator, answer.outcome, kiosk.visit.keepImage);
  showReceipt(answer?.receipt);
  const again = byId("again");
  again.hidden = event === "left";
  if (event !== "left") {
    kiosk.translator.show(again, `result.${event}`);
    on("again", "click", () => kiosk.happened(event), signal);
  }
  on("finish", "click", () => kiosk.happened("left"), signal);
}

function showOutcome(translator, outcome, imageKept) {
  showIcon(outcome);
  translator.show(byId("result-title"), `result.${outcome}`);
  const kept = imageKept && outcome !== "duplicate" ? ".kept" : "";
  translator.show(byId("result-lead"), `result.${outcome}.lead${kept}`);
  translator.show(byId("result-next"), `result.${outcome}.next`);
}

function showProblem(translator, { code, detail }) {
  showIcon("refused");
  const known = translator.has(`problem.${code}`);
  translator.show(byId("result-title"), "result.problem");
  translator.show(byId("result-lead"), known ? `problem.${code}` : "problem.unknown");
  // What only an operator can mend, or is newer than our texts, is told in the service's English.
  if (known && code !== "clock_skewed") translator.show(byId("result-next"), "result.problem.next");
  else translator.showUntranslated(byId("result-next"), detail);
}

function showIcon(kind) {
  byId("verdict").dataset.kind = kind;
  byId("verdict-icon").setAttribute("href", `icons.svg#${ICONS[kind]}`);
}

/** @param {unknown} receipt of the service, signed; the wallet reads it as a code */
function showReceipt(receipt) {
  byId("receipt").hidden = !receipt;
  if (!receipt) return;
  drawCode(byId("receipt-code"), typeof receipt === "string" ? receipt : JSON.stringify(receipt));
}
