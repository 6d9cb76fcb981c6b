import { Problem } from "../api.js";
import { makeKey, saveDevice } from "../device.js";
import { byId, on } from "../dom.js";

/** The operator's one-time code makes this browser a kiosk. */
export function register(kiosk, signal) {
  const error = byId("register-error");
  error.textContent = "";
  byId("register-code").focus();
  on("register-form", "submit", async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      const device = await enlist(kiosk.api, byId("register-code").value.trim());
      kiosk.use(device);
      kiosk.happened("registered");
    } catch (failure) {
      kiosk.translator.show(error, reasonOf(failure));
      byId("register-code").select();
    }
  }, signal);
}

async function enlist(api, code) {
  const { privateKey, publicKey } = await makeKey();
  const { kiosk_id: id, name } = await api.register(code, publicKey);
  const device = { id, name, privateKey };
  await saveDevice(device);
  return device;
}

function reasonOf(failure) {
  if (failure instanceof Problem) {
    return failure.code === "invitation_invalid" ? "register.invalid" : "problem.unknown";
  }
  return failure instanceof TypeError ? "waiting.lost" : "register.no_key";
}
