import { byId } from "../dom.js";

/** Nobody's screen: a button for each language begins a turn. */
export function welcome(kiosk, signal) {
  const items = kiosk.translator.languages.map((language) => {
    const item = document.createElement("li");
    item.append(beginButton(kiosk, language, signal));
    return item;
  });
  byId("languages").replaceChildren(...items);
}

function beginButton(kiosk, { tag, name, greeting, direction }, signal) {
  const button = document.createElement("button");
  button.type = "button";
  button.lang = tag;
  button.dir = direction;
  const welcome = document.createElement("small");
  welcome.textContent = greeting;
  button.append(name, welcome);
  const begin = () => {
    kiosk.translator.use(tag);
    kiosk.happened("begun");
  };
  button.addEventListener("click", begin, { signal });
  return button;
}
