// The page: tabs, keyboard shortcuts and colours.
import { partsOf } from "./format.js";
import { Panel } from "./panel.js";
import { narrow, Viewer } from "./viewer.js";

const { tabs, place, panelTemplate, tabTemplate, add, announcement, shortcuts, showShortcuts, viewer, theme } =
  partsOf(document);
const reader = new Viewer(viewer);

/** The panels, each with its tab. */
const open = [];
let shown;

function create() {
  const item = makeTab();
  item.panel = new Panel(panelTemplate, {
    changed: () => showTab(item),
    view: (title, data) => reader.show(title, data),
  });
  const { tab, close, holder, panel } = item;
  tab.id = `tab-${panel.number}`;
  panel.element.setAttribute("aria-labelledby", tab.id);
  tab.addEventListener("click", () => select(item));
  close.addEventListener("click", () => remove(item));
  open.push(item);
  tabs.append(holder);
  showTab(item);
  select(item);
  return panel;
}

function makeTab() {
  const holder = tabTemplate.content.firstElementChild.cloneNode(true);
  const { tab, label, badge, remove: close } = partsOf(holder);
  return { holder, tab, label, badge, close };
}

/** Shows the URL and state of a connection in its tab, and announces a change of state. */
function showTab(item) {
  const { panel, tab, label, badge, close, stateText } = item;
  // The panel calls this while it is being constructed.
  if (panel === undefined) return;
  const { unread, stateText: state, url } = panel;
  label.textContent = `${panel.number}  ${url.replace(/^wss?:\/\//, "")}`;
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? "99+" : "•";
  tab.dataset.state = panel.appearance;
  const news = unread === 0 ? "" : ", new messages";
  tab.setAttribute("aria-label", `Connection ${panel.number}: ${url}, ${state}${news}`);
  tab.title = url;
  close.setAttribute("aria-label", `Remove connection ${panel.number}`);
  if (state === stateText) return;
  item.stateText = state;
  if (stateText !== undefined) announcement.textContent = `Connection ${panel.number}: ${state}`;
}

function select(item) {
  if (item === shown) return;
  const before = shown;
  shown = item;
  before?.panel.show(false);
  place.replaceChildren(item.panel.element);
  item.panel.show(true);
  for (const { tab, panel } of open) {
    const isShown = panel === item.panel;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
  }
  item.holder.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Shows the connection `by` tabs away, wrapping around. */
function step(by) {
  const item = open[(open.indexOf(shown) + by + open.length) % open.length];
  select(item);
  return item;
}

function remove(item) {
  const at = open.indexOf(item);
  item.panel.connection.drop();
  open.splice(at, 1);
  item.holder.remove();
  announcement.textContent = `Connection ${item.panel.number}: removed`;
  if (open.length === 0) create().focusUrl();
  else if (item === shown) select(open[Math.min(at, open.length - 1)]);
}

function createNew() {
  create().focusUrl();
}

// ---- keys ----

tabs.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: -1, ArrowRight: 1 };
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key in moves) step(moves[event.key]).tab.focus();
  else if (event.key === "Home") select(open[0]);
  else if (event.key === "End") select(open.at(-1));
  else if (event.key === "Delete") remove(shown);
  else return;
  event.preventDefault();
  shown.tab.focus();
});

/** Keys with Alt, by the key's position, since Alt may produce other characters. */
const altKeys = {
  KeyN: createNew,
  KeyW: () => {
    remove(shown);
    shown.tab.focus();
  },
  KeyC: () => shown.panel.toggle(),
  KeyP: () => shown.panel.ping(),
  KeyU: () => shown.panel.focusUrl(),
  KeyL: () => shown.panel.focusFilter(),
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
};
/** Keys without Alt; they work when no text field has the focus. */
const plainKeys = { "/": () => shown.panel.focusMessage(), "?": () => shortcuts.showModal() };

addEventListener("keydown", (event) => {
  const { altKey, ctrlKey, metaKey, key, code, target } = event;
  if (ctrlKey || metaKey || document.querySelector("dialog[open]") !== null) return;
  const isTyping = target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=file])");
  let act;
  // The letter if Alt left one, else the key's position.
  if (altKey) act = altKeys[/^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : code];
  else if (!isTyping) act = plainKeys[key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

add.addEventListener("click", createNew);
showShortcuts.addEventListener("click", () => shortcuts.showModal());

// Redraws, since the width of hex dumps depends on the room.
narrow.addEventListener("change", () => shown.panel.show(true));

// A file dropped outside the form would replace the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

// ---- colours ----

const themeKey = "serval.theme";

/** Storage may be disabled: then the choice lasts as long as the page. */
function stored(act) {
  try {
    return act(localStorage);
  } catch {
    return undefined;
  }
}

function showTheme(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

const radios = [...theme.querySelectorAll("input")];
const choice = stored((storage) => storage.getItem(themeKey));
const chosen = radios.find(({ value }) => value === choice);
if (chosen !== undefined) {
  chosen.checked = true;
  showTheme(chosen.value);
}
theme.addEventListener("change", ({ target }) => {
  showTheme(target.value);
  stored((storage) => storage.setItem(themeKey, target.value));
});

setInterval(() => {
  const now = performance.now();
  for (const { panel } of open) panel.tick(now);
}, 1_000);

const first = create();
first.connect();
// Without scrolling, since the field may be below the fold.
first.focusMessage({ preventScroll: true });
