// Everything that is shown of one connection.
import { Composer } from "./composer.js";
import { Connection, defaultUrl, isHome, parseUrl } from "./connection.js";
import { duration, element, encode, meaning, number, partsOf, round, short, size } from "./format.js";
import { Log } from "./log.js";
import { Plot } from "./plot.js";

const closedBefore = "Not connected.";
const notOurs = "Browsers hide the bytes of the handshake. This page’s server shows them, for its own connections.";

let count = 0;

export class Panel {
  number = ++count;
  element;
  connection;
  /** Messages that arrived while the panel was hidden. */
  unread = 0;

  #parts;
  #log;
  #roundTrip;
  #traffic;
  #changed;
  #isShown = false;
  #hasPlots = false;

  /** `changed` is called when the tab's text changes; `view` shows a message in full. */
  constructor(template, { changed, view }) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.id = `panel-${this.number}`;
    const parts = (this.#parts = partsOf(this.element));
    for (const [field, objection] of [
      ["url", "targetObjection"],
      ["content", "objection"],
      ["code", "closingObjection"],
    ]) {
      parts[objection].id = `${objection}-${this.number}`;
      parts[field].setAttribute("aria-describedby", parts[objection].id);
    }
    for (const radio of [parts.text, parts.hex]) radio.name = `kind-${this.number}`;
    this.#changed = changed;
    this.connection = new Connection({
      log: (entry) => this.#add(entry),
      changed: () => this.#show(),
      measured: () => this.#measured(),
    });
    this.#log = new Log(parts.log, { view, changed: (entries) => this.#countEntries(entries) });
    new Composer(parts, (data) => this.connection.send(data));
    this.#listen();
    parts.url.value = defaultUrl;
    this.#show();
    this.#countEntries(0);
  }

  /** Shows or hides the panel. */
  show(isShown) {
    this.#isShown = isShown;
    this.#log.show(isShown);
    if (!isShown) return;
    this.unread = 0;
    this.#show();
  }

  /** Called once a second. */
  tick(now) {
    this.connection.tick(now);
    const { sentRate, receivedRate } = this.connection;
    // A screen reader can't keep up with more messages than this.
    const rate = (sentRate.points.at(-1)?.value ?? 0) + (receivedRate.points.at(-1)?.value ?? 0);
    this.#parts.log.setAttribute("aria-live", rate > 5 ? "off" : "polite");
    this.#measured();
  }

  /** The URL connected to, or entered. */
  get url() {
    return this.#parts.url.value.trim() || "nowhere";
  }

  focusMessage(options) {
    this.#parts.content.focus(options);
  }

  focusUrl() {
    this.#parts.url.focus();
    this.#parts.url.select();
  }

  focusFilter() {
    this.#parts.search.focus();
  }

  ping() {
    return this.connection.probe();
  }

  /** Connects or disconnects, as the button says. */
  toggle() {
    if (["idle", "closed"].includes(this.connection.state)) this.connect();
    else this.#end();
  }

  connect() {
    const { url, protocols, targetObjection, measure } = this.#parts;
    targetObjection.textContent = "";
    try {
      const target = parseUrl(url.value);
      url.value = target.href;
      // Other servers get no probes unless the user asks for them.
      if (measure.dataset.touched === undefined) measure.checked = isHome(target);
      this.connection.isProbing = measure.checked;
      this.connection.open(target, protocols.value.split(/[\s,]+/).filter(Boolean));
    } catch (error) {
      targetObjection.textContent = error.message;
      url.focus();
    }
  }

  #listen() {
    const { target, url, toggle, closing, clear, copy, way, search, measure, ping, copyCommand } = this.#parts;
    url.addEventListener("input", () => this.#changed());
    target.addEventListener("submit", (event) => {
      event.preventDefault();
      this.toggle();
    });
    // While connected the button does not submit, so that Enter in a field does not disconnect.
    toggle.addEventListener("click", (event) => {
      if (toggle.type !== "button") return;
      // It may become the button that submits while this runs.
      event.preventDefault();
      this.#end();
    });
    closing.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#end();
    });
    clear.addEventListener("click", () => this.#log.clear());
    copy.addEventListener("click", () => copyFrom(copy, this.#log.text()));
    copyCommand.addEventListener("click", () => copyFrom(copyCommand, this.connection.inspection));
    for (const field of [way, search]) {
      field.addEventListener("input", () => this.#log.filter(way.value, search.value));
    }
    measure.addEventListener("change", () => {
      measure.dataset.touched = "";
      this.connection.isProbing = measure.checked;
    });
    ping.addEventListener("click", () => this.ping());
  }

  #end() {
    const { code, reason, closingObjection } = this.#parts;
    const value = Number(code.value);
    closingObjection.textContent = "";
    // Browsers allow a page only these codes; the protocol reserves the others.
    if (!Number.isInteger(value) || (value !== 1000 && (value < 3000 || value > 4999))) {
      closingObjection.textContent = "A page may close with 1000, or with 3000 to 4999.";
    } else if (encode(reason.value).length > 123) {
      closingObjection.textContent = "A reason has at most 123 bytes.";
    } else {
      this.connection.end(value, reason.value);
      return;
    }
    code.focus();
  }

  #add(entry) {
    this.#log.add(entry);
    if (this.#isShown || entry.way !== "received") return;
    this.unread++;
    if (this.unread === 1 || this.unread === 100) this.#changed();
  }

  #countEntries(entries) {
    this.#parts.entries.textContent = entries === 0 ? "" : number(entries);
  }

  /** Shows the state, what was negotiated, and the handshake. */
  #show() {
    const { state, toggle, url, protocols, send, choose, ping, closeButton } = this.#parts;
    const connection = this.connection;
    const isOver = ["idle", "closed"].includes(connection.state);
    state.textContent = this.stateText;
    state.dataset.state = this.appearance;
    toggle.textContent = isOver
      ? "Connect"
      : ["connecting", "waiting"].includes(connection.state)
        ? "Cancel"
        : "Disconnect";
    toggle.type = isOver ? "submit" : "button";
    toggle.classList.toggle("main", isOver);
    url.readOnly = protocols.readOnly = !isOver;
    closeButton.disabled = isOver;
    send.disabled = choose.disabled = ping.disabled = connection.state !== "open";
    this.#showAgreed();
    this.#showClose();
    this.#showHandshake();
    this.#measured();
    this.#changed();
  }

  get stateText() {
    const { state, close, attempts } = this.connection;
    if (state === "idle") return "not connected";
    if (attempts > 0 && state !== "closed") return "connecting again";
    if (state !== "closed") return state;
    if (close.wasOpen) return `closed, ${close.code}`;
    return close.isEnded ? "not connected" : "could not connect";
  }

  /** The state as the dot shows it: a connection that ended as it should has not failed. */
  get appearance() {
    const { state, close } = this.connection;
    if (state !== "closed") return state === "waiting" ? "connecting" : state;
    return close.wasClean || close.isEnded ? "closed" : "failed";
  }

  #showAgreed() {
    const { offered, chosen, extensions } = this.#parts;
    const { state, offered: list, protocol, extensions: agreed, openedAt } = this.connection;
    const nothing = state === "idle" ? "–" : "none";
    offered.textContent = list.join(", ") || nothing;
    chosen.textContent = protocol || (openedAt === undefined ? "–" : "none");
    extensions.textContent = agreed || (openedAt === undefined ? "–" : "none");
  }

  #showClose() {
    const { closed, failure, command } = this.#parts;
    const { close } = this.connection;
    closed.hidden = close?.wasOpen !== true;
    failure.hidden = close === undefined || close.wasOpen || close.isEnded;
    if (!failure.hidden) command.textContent = this.connection.inspection;
    if (closed.hidden) return;
    const { code, reason, wasClean } = close;
    closed.replaceChildren(
      element("b", `Closed: ${code}`),
      ` ${meaning(code)}, ${wasClean ? "clean" : "not clean"}. `,
      reason === "" ? "The peer gave no reason." : `Reason: ${reason}`,
    );
  }

  #showHandshake() {
    const { request, response } = this.#parts;
    const { state, handshake, isHome, close } = this.connection;
    let problem = handshake?.problem ?? closedBefore;
    if (close !== undefined && !close.wasOpen) problem = "No connection was made.";
    else if (state !== "idle" && !isHome) problem = notOurs;
    for (const [part, head] of [
      [request, handshake?.request],
      [response, handshake?.response],
    ]) {
      part.replaceChildren(...(head === undefined ? [problem] : headParts(head)));
      part.classList.toggle("words", head === undefined);
    }
  }

  /** Draws the measurements if they are in view. */
  #measured() {
    if (!this.#isShown) return;
    const { roundTrip, traffic, echoRow, pingRow, sentRow, receivedRow, probes, waiting, waitingThere } = this.#parts;
    const connection = this.connection;
    const { echo, ping, sentRate, receivedRate, sent, received, statistics, openedAt } = connection;
    const now = performance.now();
    if (!this.#hasPlots || this.#roundTrip.echo !== echo) {
      this.#roundTrip = { echo, plot: new Plot(roundTrip, { echo, ping }) };
      this.#traffic = new Plot(traffic, { sent: sentRate, received: receivedRate });
      this.#hasPlots = true;
    }
    this.#roundTrip.plot.draw(now);
    this.#traffic.draw(now);
    for (const [row, series] of [
      [echoRow, echo],
      [pingRow, ping],
    ]) {
      const { last, min, median, max, count } = series.summary();
      cells(row, count === 0 ? ["–", "–", "–", "–"] : [last, min, median, max].map(short));
    }
    for (const [row, { messages, bytes }, rate] of [
      [sentRow, sent, sentRate],
      [receivedRow, received, receivedRate],
    ]) {
      const { last = 0, max = 0 } = rate.summary();
      cells(row, [round(last), round(max), number(messages), size(bytes)]);
    }
    const late = connection.probesUnderway;
    probes.textContent =
      late > 1 ? `${number(late)} probes have not returned: the server does not echo, or is late.` : "";
    const { age, wireSent, wireReceived, compression, pauses } = this.#parts;
    const isUp = connection.state === "open" || connection.state === "closing";
    age.textContent = isUp && openedAt !== undefined ? duration(now - openedAt) : "–";
    waiting.textContent = size(connection.bufferedAmount);
    waitingThere.textContent = statistics === undefined ? "–" : size(statistics.bufferedAmount);
    // The server's received bytes are this side's sent bytes.
    wireSent.textContent = statistics === undefined ? "–" : size(statistics.bytesReceived);
    wireReceived.textContent = statistics === undefined ? "–" : size(statistics.bytesSent);
    const ratios = [statistics?.compressionReceived, statistics?.compressionSent];
    compression.textContent = ratios
      .map((ratio) => (ratio === undefined ? "–" : `${short(ratio * 100)} %`))
      .join(" / ");
    pauses.textContent = statistics === undefined ? "–" : number(statistics.pauses);
  }
}

/** Fills the cells of a table row, after its heading. */
function cells(row, values) {
  const old = [...row.cells].slice(1);
  for (const [i, value] of values.entries()) {
    if (old[i] === undefined) row.append(element("td", value));
    else old[i].textContent = value;
  }
}

/** An HTTP head as elements, its parts marked. */
function headParts(text) {
  const [start, ...fields] = text.trimEnd().split("\r\n");
  const parts = [element("span", start, { className: "start" })];
  for (const field of fields) {
    const colon = field.indexOf(":");
    parts.push("\n", element("span", field.slice(0, colon), { className: "name" }), field.slice(colon));
  }
  return parts;
}

/** Copies text, and says so on the button for a moment. */
async function copyFrom(button, text) {
  let isCopied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    isCopied = copyBySelection(text);
  }
  button.textContent = isCopied ? "Copied" : "Can’t copy";
  setTimeout(() => (button.textContent = "Copy"), 1_500);
}

/** The Clipboard API needs a secure context; on plain http only the old way works. */
function copyBySelection(text) {
  const area = element("textarea", text, { className: "unseen" });
  const { activeElement } = document;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  activeElement?.focus();
  return isCopied;
}
