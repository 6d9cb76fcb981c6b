// What each screen does while it is shown. A screen is a function of the kiosk, of a signal that
// aborts when the screen goes, and of the news that led to it.

import { capture } from "./capture.js";
import { consent } from "./consent.js";
import { closed } from "./closed.js";
import { register } from "./register.js";
import { result } from "./result.js";
import { sending } from "./sending.js";
import { wallet } from "./wallet.js";
import { welcome } from "./welcome.js";

export const screens = { register, welcome, consent, wallet, capture, sending, result, closed };
