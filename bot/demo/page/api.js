/** The stand-in refused; the message is a sentence for a toast. */
export class Refused extends Error {}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused("The demo does not answer. Is it still running?");
  }
  const text = await response.text();
  let value = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    value = null;
  }
  if (!response.ok) throw new Refused(value?.error ?? value?.description ?? (text.slice(0, 200) || response.statusText));
  return value;
}

export const readState = () => call("GET", "/demo/state");
export const readZones = () => call("GET", "/demo/zones");
export const moveClock = (how) => call("POST", "/demo/clock", how);
export const act = (userId, action, body = {}) => call("POST", `/demo/phones/${userId}/${action}`, body);

const RETRY_MS = 1500;
const SETTLE_TRIES = 5;

/**
 * Follow the stand-in: the whole state at first and after every reconnection, then each change.
 * An event that arrives while the state is being read may be older or newer than it, so the state is read again.
 */
export function follow({ onState, onPhone, onToast, onAction, onClock, onBot, onConnection }) {
  let source;
  let again;
  let reading = false;
  let stale = false;

  async function read() {
    if (reading) {
      stale = true;
      return;
    }
    reading = true;
    try {
      let state;
      let tries = 0;
      do {
        stale = false;
        state = await readState();
        tries += 1;
      } while (stale && tries < SETTLE_TRIES);
      onState(state);
      onConnection(true);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      lost();
    } finally {
      reading = false;
    }
  }

  const take = (handle) => (event) => {
    if (reading) stale = true;
    else handle(JSON.parse(event.data));
  };

  // A browser reconnects on its own unless the answer was an error, but slowly; our wait is short.
  function lost() {
    onConnection(false);
    source.close();
    clearTimeout(again);
    again = setTimeout(connect, RETRY_MS);
  }

  function connect() {
    source = new EventSource("/demo/events");
    source.addEventListener("open", read);
    source.addEventListener("phone", take(onPhone));
    source.addEventListener("clock", take(onClock));
    source.addEventListener("bot", take(onBot));
    source.addEventListener("toast", (event) => onToast(JSON.parse(event.data)));
    source.addEventListener("action", (event) => onAction(JSON.parse(event.data)));
    source.addEventListener("error", lost);
  }
  connect();
}
