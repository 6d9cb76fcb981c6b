// The kiosk's own identity: an Ed25519 key that no script can read out, kept by the browser.

import { base64url } from "./signing.js";

const DATABASE = "personhood-kiosk";
const STORE = "device";
const RECORD = "this";

/**
 * @typedef {object} Device
 * @property {string} id given by the service
 * @property {string} name given by the operator
 * @property {CryptoKey} privateKey not extractable
 */

/**
 * Make a new key.
 * @returns {Promise<{privateKey: CryptoKey, publicKey: string}>} the public key as base64url of
 *   its 32 bytes
 */
export async function makeKey() {
  const extractable = false; // of the private key; a public one always is
  const pair = await crypto.subtle.generateKey("Ed25519", extractable, ["sign", "verify"]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { privateKey: pair.privateKey, publicKey: base64url(raw) };
}

/** @returns {Promise<Device | undefined>} undefined before the first registration */
export function loadDevice() {
  return withStore("readonly", (store) => store.get(RECORD));
}

/** @param {Device} device */
export function saveDevice(device) {
  return withStore("readwrite", (store) => store.put(device, RECORD));
}

export function forgetDevice() {
  return withStore("readwrite", (store) => store.delete(RECORD));
}

async function withStore(mode, work) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const result = await done(work(transaction.objectStore(STORE)));
    await committed(transaction);
    return result;
  } finally {
    database.close();
  }
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
