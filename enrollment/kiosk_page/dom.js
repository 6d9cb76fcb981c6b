// Short names for what every screen does with the document.

/** @param {string} id of an element that index.html has @returns {HTMLElement} */
export function byId(id) {
  return document.getElementById(id);
}

/** Listen for as long as a screen is shown. */
export function on(id, type, listener, signal) {
  byId(id).addEventListener(type, listener, { signal });
}
