// The panel: its parts, and what a visitor does with them.
class Panel {
  constructor(root, client, words, options) {
    Object.assign(this, { root, client, words, options });
    this.mark = this.stream = "";
    this.after = 0;
    this.opened = this.running = this.begun = false;
    this.label = "";
    this.draw();
  }

  draw() {
    const w = this.words;
    this.launcher = make("button", {
      type: "button", class: "launcher", "aria-label": w.open, "aria-expanded": "false",
      "aria-controls": "panel", onclick: () => this.toggle(),
    }, icon(ICONS.chat));
    this.title = make("h2", { id: "title" }, this.options.title || w.dialog);
    this.person = make("button", { type: "button", class: "small person-wanted", hidden: true,
      onclick: () => this.act(() => this.handOver()) }, w.person_wanted);
    this.fresh = make("button", { type: "button", class: "small", onclick: () => this.act(() => this.leave()) }, w.fresh);
    this.log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": w.log, tabindex: "0" });
    this.status = make("div", { class: "status", role: "status" });
    this.banner = make("div", { class: "banner", hidden: true });
    this.feedback = make("div", { class: "feedback" });
    this.alert = make("div", { class: "alert", role: "alert" });
    this.input = make("textarea", { rows: "1", placeholder: w.write, "aria-label": w.write, maxlength: "100000",
      onkeydown: (e) => this.key(e), oninput: () => this.grow() });
    this.button = make("button", { type: "submit", class: "send", "aria-label": w.send }, icon(ICONS.send));
    this.form = make("form", { onsubmit: (e) => { e.preventDefault(); this.submit(); } }, this.input, this.button);
    this.note = make("p", { class: "note" });
    this.panel = make("div", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true,
      onkeydown: (e) => { if (e.key === "Escape") this.toggle(false); } },
      make("header", {}, this.title, this.person, this.fresh,
        make("button", { type: "button", class: "close", "aria-label": w.close, onclick: () => this.toggle(false) }, icon(ICONS.close))),
      this.banner, this.log, this.status, this.feedback, this.alert, this.form, this.note);
    this.root.append(this.panel, this.launcher);
  }

  toggle(open = !this.opened) {
    this.opened = open;
    this.panel.hidden = !open;
    this.launcher.setAttribute("aria-expanded", String(open));
    this.launcher.setAttribute("aria-label", open ? this.words.close : this.words.open);
    if (!open) {
      this.listening?.abort();
      this.launcher.focus();
      return;
    }
    this.input.focus();
    this.act(() => this.show());
  }

  // Something of the visitor's; what goes wrong is told, and nothing else.
  async act(work) {
    this.alert.textContent = "";
    try {
      await work();
      return true;
    } catch (error) {
      this.alert.textContent = error instanceof Refused && error.message ? error.message : this.words.failed;
      return false;
    }
  }

  async begin() {
    const begun = await this.client.begin();
    this.begun = true;
    this.label = begun.label;
    this.note.textContent = begun.label;
    this.input.maxLength = begun.longest;
    this.people = begun.people;
    this.welcome = begun.welcome;
    if (!this.options.title) this.title.textContent = begun.title;
  }

  // Somebody else signed in, or out, on the site: what was said before is not theirs to read.
  async again() {
    this.client.token = "";
    this.begun = false;
    this.listening?.abort();
    this.log.replaceChildren();
    this.standing({});
    this.setRunning(false);
    if (this.opened) await this.act(() => this.show());
  }

  async show() {
    if (!this.begun) await this.begin();
    this.paint(await this.client.ask("GET", "/conversation"));
  }

  paint(view) {
    const w = this.words;
    this.mark = view.mark;
    this.stream = view.stream;
    this.after = view.after;
    this.turn = null;
    this.log.replaceChildren();
    if (!view.messages.length && !view.running) this.add(bubble("assistant", w, this.welcome).element);
    for (const m of view.messages) {
      if (m.who === "call") this.add(callLine(w, m.text, m.outcome).element);
      else this.add(bubble(m.who, w, m.text, this.label).element);
    }
    for (const asked of view.waiting) this.ask(asked);
    this.standing(view.desk);
    if (view.running || view.watch) this.listen();
    else this.setRunning(false);
  }

  standing(desk) {
    const held = desk.holder === "person";
    this.banner.hidden = !held;
    this.banner.textContent = held ? this.words.with_person(desk.ticket) : "";
    this.person.hidden = !this.people || held;
    this.fresh.hidden = held;
    const rate = (stars) => this.act(async () => {
      this.standing((await this.client.ask("POST", "/rating", { stars })).desk);
      this.status.textContent = this.words.rated;
    });
    this.feedback.replaceChildren(...(desk.ratable && !held ? [rating(this.words, rate)] : []));
  }

  ask(asked) {
    const decide = (approve) => this.act(async () => {
      const taken = await this.client.ask("POST", "/decision", { ticket: asked.ticket, approve });
      this.follow(taken);
    });
    this.add(question(this.words, asked, decide));
  }

  add(element) {
    const near = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 120;
    this.log.append(element);
    if (near || element.classList.contains("visitor")) this.log.scrollTop = this.log.scrollHeight;
  }

  setRunning(running, state = "") {
    this.running = running;
    this.log.setAttribute("aria-busy", String(running));
    this.status.textContent = running ? state || this.words.working : "";
    this.button.replaceChildren(icon(running ? ICONS.stop : ICONS.send));
    this.button.setAttribute("aria-label", running ? this.words.stop : this.words.send);
    this.button.classList.toggle("running", running);
  }

  key(event) {
    // An input method takes Enter for itself while words are being composed.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      if (!this.running) this.submit();
    }
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight + 2, 140)}px`;
  }

  async submit() {
    if (this.running) {
      await this.act(() => this.client.ask("POST", "/stop", {}));
      return;
    }
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.grow();
    this.setRunning(true);
    const key = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16)).join("");
    const sent = await this.act(async () => {
      if (!this.begun) await this.show();
      this.follow(await this.client.ask("POST", "/messages", { text, key }));
    });
    if (!sent) {
      this.setRunning(false);
      this.input.value = text;
      this.grow();
      this.input.focus();
    }
  }

  async handOver() {
    this.paint(await this.client.ask("POST", "/hand-over", {}));
  }

  async leave() {
    await this.client.ask("DELETE", "/conversation");
    await this.show();
    this.input.focus();
  }

  follow({ stream, after }) {
    this.stream = stream;
    this.after = after;
    this.setRunning(true);
    this.listen();
  }

  // Hear the stream to its end; what breaks off is taken up where it broke.
  async listen() {
    this.listening?.abort();
    const here = (this.listening = new AbortController());
    for (let wait = 500; !here.signal.aborted; ) {
      try {
        for await (const [number, event] of this.client.events(this.stream, this.after, this.mark, here.signal)) {
          wait = 500;
          if (here.signal.aborted) return;
          if (event.type === "changed" || event.type === "reset") {
            this.paint(await this.client.ask("GET", "/conversation"));
            return;
          }
          if (event.type === "done") {
            await this.settle();
            return;
          }
          if (number) this.after = number;
          this.hear(event);
        }
      } catch (error) {
        if (here.signal.aborted) return;
        if (error instanceof Refused && error.status < 500 && error.status !== 429) {
          this.setRunning(false);
          if (error.status === 401) this.client.token = "";
          this.alert.textContent = error.message || this.words.expired;
          return;
        }
        this.status.textContent = this.words.offline;
        await new Promise((go) => setTimeout(go, wait));
        wait = Math.min(wait * 2, 15000);
      }
    }
  }

  async settle() {
    this.setRunning(false);
    const view = await this.client.ask("GET", "/conversation");
    if (view.watch || view.running) return this.paint(view);
    this.mark = view.mark;
    this.standing(view.desk);
  }

  hear(event) {
    const w = this.words;
    const turn = (this.turn ??= { calls: {}, text: "" });
    switch (event.type) {
      case "said":
        this.turn = { calls: {}, text: "" };
        this.add(bubble("visitor", w, event.text).element);
        this.setRunning(true);
        break;
      case "delta":
        if (!turn.bubble) this.add((turn.bubble = bubble("assistant", w, "", this.label)).element);
        turn.text += event.text;
        turn.bubble.draw(turn.text);
        this.log.scrollTop = this.log.scrollHeight;
        break;
      case "call":
        this.add((turn.calls[event.id] = callLine(w, event.name)).element);
        this.setRunning(true, w.calling(event.name));
        turn.bubble = null;
        turn.text = "";
        break;
      case "called":
        if (!turn.calls[event.id]) this.add((turn.calls[event.id] = callLine(w, event.name)).element);
        turn.calls[event.id].finish(event.outcome);
        this.setRunning(true);
        break;
      case "confirm":
        this.ask(event);
        break;
      case "table":
      case "sources":
        this.add(extra(w, event));
        break;
      case "error":
        this.alert.textContent = event.message;
        this.setRunning(false);
        break;
      case "end":
        if (!turn.bubble && event.answer) this.add(bubble("assistant", w, event.answer, this.label).element);
        if (event.turn && event.reason === "answer") {
          this.add(thumbs(w, (said) => this.act(async () => {
            await this.client.ask("POST", "/feedback", { turn: event.turn, ...said });
            this.status.textContent = w.thanks;
          })));
        }
        if (event.reason === "stopped") this.add(make("p", { class: "quiet" }, w.stopped));
        for (const card of this.log.querySelectorAll("[inert]")) card.remove();
        this.turn = null;
        this.setRunning(false);
        this.status.textContent = event.reason === "answer" ? w.answered : "";
        break;
    }
  }
}
