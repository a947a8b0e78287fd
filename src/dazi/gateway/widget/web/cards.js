// Parts of the conversation: what was said, calls, tables, and questions that wait for a yes or no.
const bubble = (who, words, text, label) => {
  const body = make("div", { class: "words" });
  const element = make("div", { class: `said ${who}` },
    make("span", { class: "who" }, words[who === "visitor" ? "you" : who]), body);
  const draw = (content) => {
    if (who === "visitor" || who === "person") body.replaceChildren(reveal(content));
    else body.replaceChildren(...markdown(content));
  };
  draw(text);
  if (who === "assistant" && label) element.append(make("span", { class: "label" }, label));
  return { element, draw };
};

const callLine = (words, name, outcome) => {
  const state = make("span", {});
  const element = make("div", { class: "call" }, make("span", {}, name), " · ", state);
  const finish = (how) => {
    state.textContent = words.outcomes[how] ?? words.other;
    element.classList.toggle("bad", !["ok", "not_found", "needs_confirmation"].includes(how));
  };
  if (outcome) finish(outcome);
  else state.textContent = "…";
  return { element, finish };
};

const extra = (words, event) => {
  if (event.type === "table") {
    const title = event.title ? [make("p", { class: "heading" }, reveal(event.title))] : [];
    const shown = event.chart ? chart(words, event) : [table(event.columns, event.rows)];
    return make("div", { class: "extra" }, ...title, ...shown);
  }
  const named = event.passages.map((p) => make("li", {}, `[${p.number}] ${reveal(p.title)}`));
  return make("div", { class: "extra" }, make("p", { class: "heading" }, words.sources),
    make("ul", { class: "sources" }, ...named));
};

// ``decide`` is called with true or false and says whether that was heard; what was not may be pressed
// again.
const question = (words, asked, decide) => {
  const rows = asked.fields.flatMap(([name, value]) =>
    [make("dt", {}, reveal(name)), make("dd", {}, reveal(value))]);
  const card = make("section", { class: "question", "aria-label": words.confirm_title },
    make("p", { class: "heading" }, asked.name), make("dl", {}, ...rows));
  card.dataset.ticket = asked.ticket;
  if (asked.approver) {
    card.append(make("p", { class: "quiet" }, words.waits_for(asked.approver)));
    return card;
  }
  const answer = (yes) => async () => {
    card.inert = true;
    card.inert = await decide(yes);
  };
  card.prepend(make("p", { class: "quiet" }, words.confirm_title));
  card.append(make("p", { class: "quiet" }, words.confirm_hint),
    make("div", { class: "row" },
      make("button", { type: "button", class: "main yes", onclick: answer(true) }, words.confirm),
      make("button", { type: "button", class: "no", onclick: answer(false) }, words.cancel)));
  return card;
};

const rating = (words, rate) => {
  const stars = [1, 2, 3, 4, 5].map((n) =>
    make("button", { type: "button", "aria-label": words.star(n), onclick: () => rate(n) }, String(n)));
  return make("div", { class: "row", role: "group", "aria-label": words.rate },
    make("span", {}, words.rate), ...stars);
};

// Two thumbs below an answer; a thumb down may say why. ``send`` is given all that is chosen.
const thumbs = (words, send) => {
  const said = { thumb: "none", reason: "", consent: false };
  const more = make("div", { class: "row" });
  const say = (changes) => {
    Object.assign(said, changes);
    for (const button of element.querySelectorAll("[data-of]")) {
      button.setAttribute("aria-pressed", String(said[button.dataset.of] === button.dataset.is));
    }
    send({ ...said });
  };
  const pressed = (of, is, options, ...inside) => {
    const other = of === "thumb" ? "none" : "";
    return make("button", { type: "button", "aria-pressed": "false", "data-of": of, "data-is": is, ...options,
      onclick: () => choose({ [of]: said[of] === is ? other : is }) }, ...inside);
  };
  const choose = (changes) => {
    if (changes.thumb) {
      changes.reason = "";
      const reasons = changes.thumb === "down" ? Object.entries(words.reasons) : [];
      const consent = make("input", { type: "checkbox", onchange: (e) => say({ consent: e.target.checked }) });
      consent.checked = said.consent;
      more.replaceChildren(...reasons.map(([is, text]) => pressed("reason", is, {}, text)),
        ...(changes.thumb === "none" ? [] : [make("label", {}, consent, words.consent)]));
    }
    say(changes);
  };
  const thumb = (is) => pressed("thumb", is, { class: is, "aria-label": words[is] }, icon(ICONS.thumb));
  const element = make("div", { class: "thumbs", role: "group", "aria-label": words.helpful },
    make("div", { class: "row" }, thumb("up"), thumb("down")), more);
  return element;
};
