// What the page asks the supervisor for. The token is asked for once, when it is needed, and kept
// for this tab alone.

const KEPT = "penstock-token";
let askForToken = async () => null;
let asking = null;

class Fault extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export function asksForTokenBy(ask) {
  askForToken = ask;
}

// What a header can carry; the supervisor's tokens are made of less.
function sendable(token) {
  return /^[\x21-\x7e]+$/.test(token);
}

// The token of this tab. One that cannot be sent is forgotten, so that it is asked for anew.
function kept() {
  const token = sessionStorage.getItem(KEPT);
  if (token === null || sendable(token)) return token;
  sessionStorage.removeItem(KEPT);
  return null;
}

function headers(more = {}) {
  const token = kept();
  return token ? { Authorization: `Bearer ${token}`, ...more } : more;
}

async function sendableToken(sentence) {
  const token = await askForToken(sentence);
  if (token === null || sendable(token)) return token;
  return sendableToken("This cannot be the token: it has a space, or a letter or sign beyond ASCII, and no token of a supervisor has one.");
}

// Asks once, however many wait for the answer.
function newToken(sentence) {
  asking ??= sendableToken(sentence).finally(() => { asking = null; });
  return asking.then((token) => {
    if (token === null) throw new Fault(401, "Without the token this cannot be shown or done.");
    sessionStorage.setItem(KEPT, token);
  });
}

async function tokenRefused() {
  const wrong = sessionStorage.getItem(KEPT) !== null;
  sessionStorage.removeItem(KEPT);
  await newToken(wrong ? "That was not the token of the supervisor that runs now." : "");
}

async function answered(path, options) {
  for (;;) {
    const answer = await fetch(path, { ...options, headers: headers(options.headers) });
    if (answer.status !== 401) return answer;
    await tokenRefused();
  }
}

async function sentenceOf(answer) {
  const said = await answer.text();
  try {
    return JSON.parse(said).error ?? said;
  } catch {
    return `the supervisor answered ${answer.status}`;
  }
}

function addressOf(path, asked = {}) {
  const given = Object.entries(asked).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  const query = new URLSearchParams(given.map(([name, value]) => [name, value === true ? "1" : value]));
  return given.length ? `${path}?${query}` : path;
}

export async function get(path, asked = {}) {
  const answer = await answered(addressOf(path, asked), {});
  if (!answer.ok) throw new Fault(answer.status, await sentenceOf(answer));
  return answer.json();
}

export async function getBlob(path, asked = {}) {
  const answer = await answered(addressOf(path, asked), {});
  if (!answer.ok) throw new Fault(answer.status, await sentenceOf(answer));
  return answer.blob();
}

// An SVG as a document that nothing runs in. The browser parses it itself: no text of ours becomes
// markup, which the page's policy would not allow.
export function getDrawing(path, asked = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", addressOf(path, asked));
    request.responseType = "document";
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.onload = () => {
      if (request.status === 200 && request.responseXML) resolve(request.responseXML.documentElement);
      else reject(new Fault(request.status, `the drawing could not be made (${request.status})`));
    };
    request.onerror = () => reject(new Fault(0, "the supervisor does not answer"));
    request.send();
  });
}

// An action always needs the token.
export async function act(path, asked) {
  if (kept() === null) await newToken("");
  const answer = await answered(path, {
    method: "POST",
    body: JSON.stringify(asked),
    headers: { "Content-Type": "application/json", "X-Penstock-By": "console" },
  });
  if (!answer.ok) throw new Fault(answer.status, await sentenceOf(answer));
  return answer.json();
}

// Server-sent events over fetch, since an EventSource could not send the token.
export async function listen(path, onEvent, onState) {
  for (let pauseMs = 500; ; pauseMs = Math.min(2 * pauseMs, 8000)) {
    try {
      const answer = await answered(path, {});
      if (!answer.ok) throw new Fault(answer.status, await sentenceOf(answer));
      onState("live");
      for await (const [name, data] of eventsOf(answer.body)) {
        pauseMs = 250;
        await onEvent(name, JSON.parse(data));
      }
    } catch (error) {
      if (error.status === 401) {
        onState("locked");
        return;
      }
      if (!(error instanceof Fault || error instanceof TypeError)) console.error(error);
    }
    onState("away");
    await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
  }
}

async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (lines.data !== undefined) yield [lines.event ?? "message", lines.data];
    }
  }
}
