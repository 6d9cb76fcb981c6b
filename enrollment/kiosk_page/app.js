// Puts the kiosk together: shows one screen at a time, and forgets each person when they leave.

import { Api } from "./api.js";
import { forgetDevice, loadDevice } from "./device.js";
import { byId, readJson } from "./dom.js";
import { isPersonal, next, stepOf } from "./flow.js";
import { Translator } from "./i18n.js";
import { IdleWatch } from "./idle.js";
import { Vision } from "./vision/vision.js";
import { Visit } from "./visit.js";
import { screens } from "./screens/screens.js";

const IDLE_LIMIT = 75; // seconds without a sign of life
const IDLE_WARNING = 15; // of them with a visible countdown
const RESULT_LIMIT = 30; // seconds that a result stays
const RESTART_PAUSE = 5; // seconds after a fault that nobody foresaw

class Kiosk {
  /** @type {import("./flow.js").Screen} */
  screen = "starting";
  visit = new Visit();
  vision = new Vision();
  /** @type {Translator} */
  translator;
  /** @type {Api} */
  api;
  /** @type {{keepsImages: boolean}} from the service: whether people may let pictures be kept */
  settings;
  #leaving = new AbortController();
  #expiry;
  #idle = new IdleWatch(
    (left) => this.#showSecondsLeft(left),
    () => this.happened("left"),
  );

  async start() {
    [this.translator, this.settings] = await Promise.all([
      Translator.load(),
      readJson("settings.json"),
    ]);
    this.translator.reset();
    this.#listen();
    const device = await loadDevice();
    this.use(device ?? null);
    try {
      await this.vision.prepare();
    } catch (error) {
      console.error(error);
      this.happened("failed", { reason: "closed.incomplete" });
      return;
    }
    this.happened(device ? "registered" : "unregistered");
  }

  /** Speak to the service as this device. @param {import("./device.js").Device | null} device */
  use(device) {
    this.api = new Api(device, (reason) => this.#showWaiting(reason));
  }

  /**
   * Go where an event leads.
   * @param {string} event see `flow.js`
   * @param {object} [news] for the next screen
   */
  happened(event, news = {}) {
    const target = next(this.screen, event);
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#showWaiting(null);
    if (!isPersonal(target)) this.#forgetPerson();
    this.screen = target;
    this.#show();
    screens[target]?.(this, this.#leaving.signal, news);
  }

  /** The session holds for so long. @param {number} seconds */
  endAfter(seconds) {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.happened("left"), 1000 * seconds);
  }

  /** Somebody is there: a face counts as much as a key. */
  touch() {
    this.#idle.touch();
  }

  /** The operator wants another registration; the old key is of no use any more. */
  async reopen() {
    await forgetDevice();
    this.use(null);
    this.happened("reopened");
  }

  #forgetPerson() {
    clearTimeout(this.#expiry);
    this.visit.wipe();
    this.visit = new Visit();
    this.vision.forget();
    for (const form of document.forms) form.reset();
    for (const box of document.querySelectorAll("input[type=checkbox]")) box.checked = false;
    for (const id of ["challenge", "challenge-code", "receipt-code"]) byId(id).replaceChildren();
    this.translator.reset();
  }

  #show() {
    for (const section of document.querySelectorAll(".screen")) {
      section.hidden = section.id !== `screen-${this.screen}`;
    }
    document.body.dataset.screen = this.screen;
    byId("leave").hidden = !isPersonal(this.screen) || this.screen === "result";
    this.#showStep(stepOf(this.screen));
    if (isPersonal(this.screen)) {
      if (this.screen === "result") this.#idle.start(RESULT_LIMIT);
      else this.#idle.start(IDLE_LIMIT, IDLE_WARNING);
    } else {
      this.#idle.stop();
      byId("idle").close();
    }
    byId("main").scrollTo(0, 0);
    document.querySelector(`#screen-${this.screen} h1`).focus({ preventScroll: true });
  }

  #showStep(step) {
    byId("steps").hidden = step === null;
    [...byId("steps").children].forEach((item, i) => {
      item.dataset.state = i < step ? "done" : i === step ? "current" : "ahead";
      if (i === step) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }

  #showWaiting(reason) {
    byId("waiting").hidden = reason === null;
    if (reason) this.translator.show(byId("waiting-reason"), `waiting.${reason}`);
  }

  #showSecondsLeft(left) {
    if (this.screen === "result") {
      this.translator.show(byId("result-countdown"), "result.countdown", { seconds: left });
      return;
    }
    const dialog = byId("idle");
    if (left > IDLE_WARNING) {
      dialog.close();
      return;
    }
    byId("idle-seconds").textContent = String(left);
    if (!dialog.open) {
      this.translator.show(byId("idle-countdown"), "idle.countdown", { seconds: IDLE_WARNING });
      dialog.showModal();
    }
  }

  #listen() {
    byId("leave").addEventListener("click", () => this.happened("left"));
    byId("idle-stay").addEventListener("click", () => this.touch());
    byId("idle").addEventListener("cancel", () => this.touch()); // the Escape key
    byId("fullscreen").addEventListener("click", () => {
      document.documentElement.requestFullscreen().catch(() => {}); // some devices have none
    });
    document.addEventListener("fullscreenchange", () => {
      byId("fullscreen").hidden = document.fullscreenElement !== null;
    });
    // What nobody foresaw must not leave a person's data, nor a dead kiosk.
    window.addEventListener("unhandledrejection", () => {
      this.visit.wipe();
      setTimeout(() => location.reload(), 1000 * RESTART_PAUSE);
    });
    // A page that the browser kept for "back" must not come back with somebody's data in it.
    window.addEventListener("pagehide", () => this.visit.wipe());
    window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  }
}

const kiosk = new Kiosk();
await kiosk.start();
