// The page: tabs, shortcuts, and the colours.
import { partsOf } from "./format.js";
import { Panel } from "./panel.js";
import { narrow, Viewer } from "./viewer.js";

const { tabs, place, panelTemplate, tabTemplate, add, announcement, shortcuts, showShortcuts, viewer, theme } =
  partsOf(document);
const reader = new Viewer(viewer);

/** Each connection, with its tab. */
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

/** Shows in a tab where its connection is to, and how it is. A change of the state is announced. */
function showTab(item) {
  const { panel, tab, label, badge, close, stateText } = item;
  // While it is being made.
  if (panel === undefined) return;
  const { unread, stateText: state, url } = panel;
  label.textContent = `${panel.number}  ${url.replace(/^wss?:\/\//, "")}`;
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? "99+" : "•";
  tab.dataset.state = panel.connection.state;
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

/** The connection at this distance from the one that is shown, round and round. */
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

/** With Alt, also where the keyboard makes other characters of it. */
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
/** Without it, where nobody is typing. */
const plainKeys = { "/": () => shown.panel.focusMessage(), "?": () => shortcuts.showModal() };

addEventListener("keydown", (event) => {
  const { altKey, ctrlKey, metaKey, key, code, target } = event;
  if (ctrlKey || metaKey || document.querySelector("dialog[open]") !== null) return;
  const isTyping = target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=file])");
  let act;
  // The letter where it has one; where Alt makes another character of it, the place of the key.
  if (altKey) act = altKeys[/^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : code];
  else if (!isTyping) act = plainKeys[key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

add.addEventListener("click", createNew);
showShortcuts.addEventListener("click", () => shortcuts.showModal());

// Dumps are as wide as there is room.
narrow.addEventListener("change", () => shown.panel.show(true));

// A file that is dropped beside the form would replace the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

// ---- colours ----

const themeKey = "serval.theme";

/** Storage may be turned off: then the choice lasts as long as the page. */
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
// A page begins at its top, also where the field is below the fold.
first.focusMessage({ preventScroll: true });
