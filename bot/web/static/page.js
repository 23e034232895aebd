// The page's script. It holds no words: the server writes them into the page, and everything else that is shown comes
// from /api/reply and is set as text.

const SUGGEST_AFTER_MS = 120;
const SWEEP_MS = 1400;
const COPIED_MS = 2000;
const SUGGEST_MAX_CHARS = 200; // nobody types a longer one
const QUERY_MAX_BYTES = 7000; // servers and proxies take request lines of 8 kB

const byId = (id) => document.getElementById(id);
const words = byId("words").dataset;
const turns = byId("turns");
const welcome = byId("welcome");
const question = byId("question");
const suggestions = byId("suggestions");
const status = byId("status");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);

function element(name, { className, text, ...attributes } = {}, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function vector(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function announce(text) {
  status.textContent = "";
  // A region is read when it changes, also to what it said before.
  requestAnimationFrame(() => { status.textContent = text; });
}

// --- The gauge: a half circle of three zones, 0 % on the left, and a needle. The same parts as on the card. ---

const HUB = { x: 160, y: 158 };
const RADIUS = 116;
const GAP = 0.0045;
const ZONES = ["not-popular", "medium", "popular"];

function point(share, distance) {
  const angle = Math.PI * (1 - share);
  return { x: HUB.x + distance * Math.cos(angle), y: HUB.y - distance * Math.sin(angle) };
}

function arc(from, to) {
  const a = point(from, RADIUS);
  const b = point(to, RADIUS);
  return `M${a.x.toFixed(2)} ${a.y.toFixed(2)}A${RADIUS} ${RADIUS} 0 0 1 ${b.x.toFixed(2)} ${b.y.toFixed(2)}`;
}

function drawGauge(answer) {
  const { medium, popular } = answer.bands;
  const bounds = [0, medium, popular, 1];
  const svg = vector("svg", { viewBox: "0 0 320 178", role: "img", "aria-label": answer.headline });
  ZONES.forEach((zone, n) => {
    const from = bounds[n] + (n ? GAP : 0);
    const to = bounds[n + 1] - (n < 2 ? GAP : 0);
    if (to > from) svg.append(vector("path", { d: arc(from, to), class: `zone ${zone}` }));
  });
  for (const bound of [medium, popular]) {
    const at = point(bound, RADIUS + 32);
    const mark = vector("text", { x: at.x.toFixed(1), y: (at.y + 7).toFixed(1), class: "mark" });
    mark.textContent = Math.round(bound * 100);
    svg.append(mark);
  }
  const needle = vector("g", { class: "needle" },
    vector("path", { d: `M${HUB.x - 9} ${HUB.y}L${HUB.x - 3.5} ${HUB.y - 112}L${HUB.x + 3.5} ${HUB.y - 112}L${HUB.x + 9} ${HUB.y}Z` }),
    vector("circle", { cx: HUB.x, cy: HUB.y, r: 13 }),
    vector("circle", { cx: HUB.x, cy: HUB.y, r: 5, class: "pin" }));
  svg.append(needle);
  const turn = (share) => needle.setAttribute("transform", `rotate(${(share * 180 - 90).toFixed(2)} ${HUB.x} ${HUB.y})`);
  return { svg, turn };
}

// Nothing gives the result away before the needle is there: until then all zones are quiet and the verdict is unseen.
function sweep(node, answer, turn, animated) {
  const number = node.querySelector(".percent");
  const settle = () => {
    turn(answer.probability);
    number.textContent = answer.percent;
    node.classList.add("settled");
  };
  if (!animated || still.matches) {
    settle();
    return;
  }
  const format = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const [sign] = /[^\p{Nd}]*$/u.exec(answer.percent); // written as the server's language does
  let began;
  const step = (now) => {
    began ??= now;
    const passed = Math.min(1, (now - began) / SWEEP_MS);
    if (passed === 1) {
      settle();
      return;
    }
    const at = answer.probability * (1 - (1 - passed) ** 3);
    turn(at);
    number.textContent = format.format(at * 100) + sign;
    requestAnimationFrame(step);
  };
  turn(0);
  requestAnimationFrame(step);
}

// --- Replies ---

function songSection(answer, { animated, withFigures = true }) {
  const node = clone("song-template");
  const find = (selector) => node.querySelector(selector);
  const set = (selector, text) => {
    if (text) find(selector).textContent = text;
    else find(selector).remove();
  };
  node.dataset.verdict = answer.verdict;
  set(".title", answer.title);
  set(".artist", answer.artist);
  set(".about", answer.about.join(" · "));
  set(".meaning", answer.meaning);
  set(".popularity", answer.popularity);
  set(".source", answer.source);
  find(".source")?.classList.toggle("stale", answer.stale);
  find(".likelier").hidden = !answer.likelier;
  find(".verdict-text").textContent = answer.verdict_text;

  const cover = find(".cover");
  const glow = find(".glow");
  cover.alt = answer.cover_alt;
  cover.addEventListener("load", () => {
    // The glow is the cover itself, blurred: it is taken from what was loaded, so there is no second request.
    glow.src = cover.src;
    const behind = glow.cloneNode();
    find(".ambient").append(behind);
    node.classList.add("covered");
  });
  cover.src = answer.cover;

  find(".notes").append(...answer.notes.map((text) => element("p", { text })));
  find(".reasons").append(...answer.reasons.map((reason) => element("li", { className: reason.up ? "up" : "down" },
    element("span", { className: "arrow", "aria-hidden": "true", text: reason.up ? "▲" : "▼" }),
    element("span", { className: "hidden", text: `${reason.up ? words.for : words.against}: ` }),
    element("span", { text: reason.text }))));
  if (withFigures && answer.figures.length) {
    find("tbody").append(...answer.figures.map((figure) => element("tr", {},
      element("th", { scope: "row", text: figure.label }),
      element("td", { text: figure.value }),
      element("td", { className: "standing", text: figure.standing }))));
  } else {
    find(".figures").remove();
  }

  const gauge = drawGauge(answer);
  find(".gauge").append(gauge.svg);
  sweep(node, answer, gauge.turn, animated);
  return node;
}

function lineNode(line) {
  if (!line.cells.length) return element("p", { className: `line ${line.kind}`, text: line.text });
  const [headings, ...rows] = line.cells;
  const table = element("table", { className: "cells" },
    element("thead", {}, element("tr", {}, ...headings.map((text) => element(text ? "th" : "td", text ? { text, scope: "col" } : {})))),
    element("tbody", {}, ...rows.map(([first, ...rest]) => element("tr", {},
      element("th", { text: first, scope: "row" }), ...rest.map((text) => element("td", { text }))))));
  // A wide table scrolls by itself, also from the keyboard.
  return element("div", { className: "wide", tabindex: "0", role: "region", "aria-label": headings.filter(Boolean).join(", ") }, table);
}

function choiceList(reply) {
  const ask = (choice) => {
    if (reply.against?.song) return () => begin(choice.label, { song: reply.against.song, other: choice.song });
    if (reply.against?.text) return () => begin(choice.label, { song: choice.song, text: reply.against.text });
    return () => begin(choice.label, { song: choice.song });
  };
  const items = [
    ...reply.choices.map((choice) => [choice.label, ask(choice)]),
    ...reply.suggestions.map((text) => [text, () => begin(text, { text })]),
  ];
  const list = element("ul", { className: "choices" });
  for (const [label, onPick] of items) {
    const button = element("button", { type: "button", text: label });
    button.addEventListener("click", onPick);
    list.append(element("li", {}, button));
  }
  if (!reply.doubt) return list;
  return element("details", { className: "doubt" }, element("summary", { text: reply.doubt }), list);
}

function replyNode(reply, animated) {
  const node = element("div", { className: `reply ${reply.code}` });
  if (reply.title) node.append(element("h2", { className: "heading", text: reply.title }));
  if (reply.answers.length === 1) {
    node.classList.add("card");
    node.append(songSection(reply.answers[0], { animated }));
    node.append(actions(reply, reply.answers[0]));
  } else if (reply.answers.length) {
    node.classList.add("card");
    node.append(element("div", { className: "pair" }, ...reply.answers.map((answer) => songSection(answer, { animated }))));
    node.append(...reply.lines.map(lineNode));
    node.append(actions(reply, null));
  } else {
    node.append(...reply.lines.map(lineNode));
  }
  if (reply.picture) {
    const picture = element("img", { className: "picture", alt: reply.announcement });
    picture.src = reply.picture;
    node.append(picture);
  }
  if (reply.choices.length || reply.suggestions.length) node.append(choiceList(reply));
  return node;
}

function actions(reply, answer) {
  const bar = clone("actions-template");
  const part = (name) => bar.querySelector(`[data-do="${name}"]`);
  const link = part("link");
  link.href = reply.address;
  link.addEventListener("click", sharing(link));
  part("card").href = reply.card;
  if (!answer) {
    for (const name of ["why", "compare", "fresh"]) part(name).remove();
    return bar;
  }
  part("card").setAttribute("download", `${answer.name}.png`);
  part("compare").addEventListener("click", () => compareWith(answer));
  part("fresh").addEventListener("click", (event) => refresh(event.currentTarget, answer));
  part("why").addEventListener("click", explaining(part("why"), answer));
  bar.querySelector(".failed").before(...answer.links.map(({ label, url }) =>
    element("a", { className: "button out", text: label, href: url, target: "_blank", rel: "noopener noreferrer" })));
  return bar;
}

function sharing(link) {
  const label = link.textContent;
  let undo;
  return async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return; // then it is a link like any other
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(link.href);
    } catch {
      location.assign(link.href);
      return;
    }
    link.textContent = words.linkCopied;
    link.classList.add("done");
    announce(words.linkCopied);
    clearTimeout(undo);
    undo = setTimeout(() => {
      link.textContent = label;
      link.classList.remove("done");
    }, COPIED_MS);
  };
}

// Asks for what a button below an answer is for, and says what came of it. Without a reply of the code that is wanted
// it gives null, and a line below the buttons says why until the next try.
async function askBelow(button, parameters, wanted) {
  if (button.ariaDisabled === "true") return null; // it is being answered
  const failed = button.closest(".actions").querySelector(".failed");
  button.ariaDisabled = "true"; // rather than disabled, which would take the focus away
  const reply = await ask(parameters);
  button.ariaDisabled = null;
  announce(reply.announcement);
  const succeeded = reply.code === wanted;
  failed.hidden = succeeded;
  failed.textContent = succeeded ? "" : reply.lines.map((line) => line.text).join(" ");
  failed.scrollIntoView({ block: "nearest" });
  return succeeded ? reply : null;
}

// Asks once for the explanation, which is folded and unfolded from then on.
function explaining(button, answer) {
  let explanation;
  return async () => {
    if (explanation) {
      explanation.hidden = !explanation.hidden;
    } else {
      const reply = await askBelow(button, { song: answer.song, why: "" }, "explained");
      if (!reply) return;
      explanation = element("section", { className: "why" }, ...reply.lines.map(lineNode));
      if (reply.title) explanation.prepend(element("h3", { text: reply.title }));
      button.closest(".actions").after(explanation);
    }
    button.setAttribute("aria-expanded", String(!explanation.hidden));
  };
}

async function refresh(button, answer) {
  const turn = button.closest(".turn");
  const reply = await askBelow(button, { song: answer.song, fresh: "" }, "predicted");
  if (!reply) return;
  const focused = document.activeElement === button;
  show(turn, reply, { animated: true });
  if (focused) turn.querySelector('[data-do="fresh"]').focus();
}

// --- Asking ---

async function ask(parameters) {
  const told = (text) => ({
    code: "fault", title: null, announcement: text, lines: [{ kind: "text", text, cells: [] }],
    answers: [], choices: [], suggestions: [], against: null, address: null, card: null, picture: null, doubt: null,
  });
  const query = String(new URLSearchParams(parameters));
  if (query.length > QUERY_MAX_BYTES) return told(words.tooLong);
  try {
    const response = await fetch(`/api/reply?${query}`, { headers: { Accept: "application/json" } });
    const isReply = response.headers.get("Content-Type")?.startsWith("application/json");
    return isReply ? await response.json() : told((await response.text()) || words.unreachable);
  } catch {
    return told(words.unreachable);
  }
}

// Each question has its entry in the browser's history and its turn on the page: going back hides what came later.
// A turn has a name that no other visit to the page gives, since entries of the history outlive the page.
const START = `${performance.timeOrigin}/start`;
let named = 0;
let shown = -1;

function addressOf(parameters) {
  if (parameters.song && parameters.other) return `/compare/${parameters.song}/${parameters.other}`;
  if (parameters.song && !parameters.text) return `/song/${parameters.song}`;
  const query = String(new URLSearchParams({ ...(parameters.song && { song: parameters.song }), q: parameters.text }));
  return query.length > QUERY_MAX_BYTES ? "/" : `/?${query}`;
}

async function begin(label, parameters, { push = true, animated = true } = {}) {
  stopComparing();
  closeSuggestions();
  // What lies ahead in the history goes with it.
  while (turns.children.length > shown + 1) turns.lastElementChild.remove();
  const turn = clone("turn-template");
  if (label) turn.querySelector(".said").textContent = label;
  else turn.querySelector(".asked").remove();
  turns.append(turn);
  const n = turns.children.length - 1;
  const state = { turn: `${performance.timeOrigin}/${named++}` };
  turn.dataset.key = state.turn;
  history[push ? "pushState" : "replaceState"](state, "", push ? addressOf(parameters) : location.href);
  reveal(n);
  announce(words.waiting);
  const reply = await ask(parameters);
  if (!turn.isConnected) return;
  show(turn, reply, { animated });
  announce(reply.announcement);
  if (reply.address && shown === n) history.replaceState(state, "", reply.address);
  if (shown === n) reveal(n);
}

function show(turn, reply, { animated }) {
  turn.querySelector(".reply").replaceWith(replyNode(reply, animated));
  const answered = reply.answers.length === 1 ? reply.answers[0].name : reply.title;
  turn.dataset.title = answered ? `${answered} · ${words.name}` : words.name;
}

function reveal(n) {
  shown = n;
  welcome.hidden = n >= 0;
  document.body.classList.toggle("talking", n >= 0);
  [...turns.children].forEach((turn, place) => { turn.hidden = place > n; });
  const turn = turns.children[n];
  document.title = turn?.dataset.title ?? words.name;
  if (turn) turn.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
  else scrollTo(0, 0);
}

addEventListener("popstate", (event) => {
  const key = event.state?.turn;
  const n = [...turns.children].findIndex((turn) => turn.dataset.key === key);
  stopComparing();
  if (n >= 0) {
    reveal(n);
    turns.children[n].focus({ preventScroll: true });
  } else if (key === START) {
    reveal(-1);
    question.focus({ preventScroll: true });
  } else {
    turns.replaceChildren();
    reveal(-1);
    fromAddress();
  }
});

// What an address asks for: /song/X, /compare/X/Y, /?q=words, or /?song=X&q=words for a comparison with what was typed.
const LOADED = location.pathname;

function fromAddress() {
  const [, kind, song, other] = location.pathname.split("/");
  const asked = new URLSearchParams(location.search);
  const text = asked.get("q");
  const first = asked.get("song");
  if (words.fault && location.pathname === LOADED) { // said of the address that was loaded alone
    turns.append(element("article", { className: "turn", tabindex: "-1" },
      element("div", { className: "reply" }, element("p", { className: "line", text: words.fault }))));
    reveal(0);
  } else if (kind === "song" && song) begin("", { song }, { push: false });
  else if (kind === "compare" && other) begin("", { song, other }, { push: false });
  else if (text && first) begin("", { song: first, text }, { push: false });
  else if (text) begin(text, { text }, { push: false });
  else {
    history.replaceState({ turn: START }, "");
    question.focus({ preventScroll: true });
  }
}

// --- The box: what is typed, and what it may become ---

let comparing = null;
let chosen = -1;
let offered = [];
let timer;
let looking;

function compareWith(answer) {
  comparing = answer;
  byId("comparing-text").textContent = filled(words.compareWith, { name: answer.name });
  byId("comparing").hidden = false;
  question.focus();
}

function stopComparing() {
  comparing = null;
  byId("comparing").hidden = true;
  byId("comparing-text").textContent = "";
}

function submit(text) {
  const typed = text.trim();
  if (!typed) return;
  question.value = "";
  if (comparing && !typed.startsWith("/")) {
    begin(filled(words.compared, { name: comparing.name, other: typed }), { song: comparing.song, text: typed });
  } else {
    begin(typed, { text: typed });
  }
}

function closeSuggestions() {
  clearTimeout(timer);
  looking?.abort();
  offered = [];
  chosen = -1;
  suggestions.hidden = true;
  suggestions.replaceChildren();
  question.setAttribute("aria-expanded", "false");
  question.removeAttribute("aria-activedescendant");
}

function pick(n) {
  const suggestion = offered[n];
  if (suggestion.complete) {
    submit(suggestion.text);
  } else {
    question.value = suggestion.text;
    question.focus();
    closeSuggestions();
  }
}

function mark(n) {
  chosen = n;
  [...suggestions.children].forEach((option, place) => {
    option.setAttribute("aria-selected", String(place === n));
    if (place === n) option.scrollIntoView({ block: "nearest" });
  });
  if (n < 0) question.removeAttribute("aria-activedescendant");
  else question.setAttribute("aria-activedescendant", suggestions.children[n].id);
}

function offer(list) {
  offered = list;
  suggestions.replaceChildren(...list.map((suggestion, n) => {
    const option = element("li", { id: `suggestion-${n}`, role: "option", "aria-selected": "false" },
      element("span", { className: "label", text: suggestion.label }),
      element("span", { className: "detail", text: suggestion.detail }));
    option.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    option.addEventListener("click", () => pick(n));
    return option;
  }));
  suggestions.hidden = !list.length;
  question.setAttribute("aria-expanded", String(list.length > 0));
  mark(-1);
  if (list.length) announce(filled(list.length === 1 ? words.suggestedOne : words.suggestedMany, { n: list.length }));
}

async function suggest() {
  looking?.abort();
  looking = new AbortController();
  const { signal } = looking;
  try {
    const response = await fetch(`/api/suggest?${new URLSearchParams({ text: question.value })}`, { signal });
    if (response.ok && !signal.aborted) offer(await response.json());
  } catch {
    if (!signal.aborted) closeSuggestions();
  }
}

question.addEventListener("input", () => {
  clearTimeout(timer);
  if (question.value.trim() && question.value.length <= SUGGEST_MAX_CHARS) timer = setTimeout(suggest, SUGGEST_AFTER_MS);
  else closeSuggestions();
});

question.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape") {
    if (offered.length) closeSuggestions();
    else stopComparing();
  } else if (event.key === "Enter" && chosen >= 0) {
    event.preventDefault();
    pick(chosen);
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!offered.length) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    // One place more than there are suggestions: none is marked there, and what was typed counts.
    const places = offered.length + 1;
    mark(((chosen + 1 + step + places) % places) - 1);
  }
});

question.addEventListener("blur", closeSuggestions);
byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit(question.value);
});
byId("comparing-cancel").addEventListener("click", () => {
  stopComparing();
  question.focus();
});
byId("menu").addEventListener("click", (event) => {
  const text = event.target.closest("button")?.dataset.text;
  if (text) begin(text, { text });
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // a fragment would be an entry of the history
  question.focus();
});
byId("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState({ turn: START }, "", "/");
  reveal(-1);
  question.focus();
});

async function examples() {
  const response = await fetch("/api/suggest?text=");
  if (!response.ok) return;
  const list = byId("examples").querySelector("ul");
  for (const { text, label, detail } of (await response.json()).slice(0, 4)) {
    const button = element("button", { type: "button" }, element("b", { text: label }), " ", element("span", { text: detail }));
    button.addEventListener("click", () => begin(text, { text }));
    list.append(element("li", {}, button));
  }
  byId("examples").hidden = !list.children.length;
}

fromAddress();
examples().catch(() => { byId("examples").hidden = true; });
