// Buttons that make or use a passkey: the service's options in, the browser's answer out.
//
//   <button data-passkey="get" data-options="/..." data-finish="/...">

const make = {
  create: async (options) =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
  get: async (options) =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
};

const isAble = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

for (const button of document.querySelectorAll("[data-passkey]")) {
  const problem = document.getElementById("passkey-problem");
  if (!isAble) {
    button.disabled = true;
    problem.textContent = "This browser has no passkeys. Use a password, or a newer browser.";
    continue;
  }
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.textContent = "";
    try {
      const answer = await make[button.dataset.passkey](await send(button, button.dataset.options));
      const { next } = await send(button, button.dataset.finish, { answer: answer.toJSON() });
      location.assign(next);
    } catch (error) {
      problem.textContent = explain(error);
      button.disabled = false;
    }
  });
}

/** Post what the button carries, and give the JSON that comes back. */
async function send(button, path, values = {}) {
  const { next, code, formToken } = button.dataset;
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ next, code, form_token: formToken, ...values }),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Refused(answer.detail);
  }
  return answer;
}

class Refused extends Error {}

/** Say what went wrong, for whoever clicked. */
function explain(error) {
  if (error instanceof Refused) {
    return error.message;
  }
  if (error instanceof DOMException && error.name === "InvalidStateError") {
    return "This device has a passkey for you already.";
  }
  if (error instanceof DOMException && error.name === "NotAllowedError") {
    return "No passkey was used. Try again, or use a password.";
  }
  return "That did not work. Is the service in reach?";
}
