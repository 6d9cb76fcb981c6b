// Texts in the person's language, from locales/*.json. All are loaded at the start: a language
// can be chosen while the network is lost.

import { readJson } from "./dom.js";

/**
 * @typedef {object} Language
 * @property {string} tag BCP 47
 * @property {string} name in the language itself
 * @property {string} greeting
 * @property {"ltr" | "rtl"} direction
 * @property {Record<string, string>} texts
 */

const FALLBACK = "en";
const TEXT_ATTRIBUTES = { textLabel: "aria-label", textPlaceholder: "placeholder" };

export class Translator {
  /** @type {Language[]} in the order of locales/index.json */
  languages;
  /** @type {Language} */
  current;

  /** @returns {Promise<Translator>} */
  static async load() {
    const tags = await readJson("locales/index.json");
    const languages = await Promise.all(
      tags.map(async (tag) => ({ tag, ...(await readJson(`locales/${tag}.json`)) })),
    );
    return new Translator(languages);
  }

  /** @param {Language[]} languages */
  constructor(languages) {
    this.languages = languages;
    this.current = this.#find(FALLBACK);
  }

  /** Speak the browser's own language where we can, and else English. */
  reset() {
    const known = navigator.languages.map((tag) => this.#find(tag.split("-")[0]));
    this.use((known.find(Boolean) ?? this.#find(FALLBACK)).tag);
  }

  /** Speak a language, also on what the page shows already. @param {string} tag */
  use(tag) {
    this.current = this.#find(tag);
    document.documentElement.lang = tag;
    document.documentElement.dir = this.current.direction;
    this.apply(document.body);
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values] for {names} in the text
   */
  text(key, values = {}) {
    const text = this.current.texts[key] ?? this.#find(FALLBACK).texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** Whether there is a text. @param {string} key */
  has(key) {
    return key in this.#find(FALLBACK).texts;
  }

  /** Show a text in an element, which from now on follows the language. */
  show(element, key, values = {}) {
    element.dataset.text = key;
    element.dataset.values = JSON.stringify(values);
    const text = this.text(key, values);
    if (element.textContent !== text) element.textContent = text;
  }

  /** Show a text that we have in English only. */
  showUntranslated(element, text) {
    delete element.dataset.text;
    element.textContent = text;
  }

  /** Fill every element that names a text. @param {HTMLElement} root */
  apply(root) {
    for (const element of root.querySelectorAll("[data-text]")) {
      this.show(element, element.dataset.text, JSON.parse(element.dataset.values ?? "{}"));
    }
    for (const [name, attribute] of Object.entries(TEXT_ATTRIBUTES)) {
      const selector = `[data-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}]`;
      for (const element of root.querySelectorAll(selector)) {
        element.setAttribute(attribute, this.text(element.dataset[name]));
      }
    }
  }

  #find(tag) {
    return this.languages.find((language) => language.tag === tag);
  }
}
