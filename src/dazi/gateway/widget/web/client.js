// What is asked of the server, always with the visitor's token in a header: no cookie is ever sent.
class Refused extends Error {
  constructor(status, problem, after) {
    super(problem.message ?? "");
    this.status = status;
    this.code = problem.code ?? "";
    this.after = after;
  }
}

class Client {
  // ``vouch`` gives the site's signed token, if it has one.
  constructor(base, site, language, store, vouch) {
    Object.assign(this, { base: `${base}/v1/widget/${encodeURIComponent(site)}`, language, store, vouch });
    this.name = `dazi:${site}`;
    this.token = "";
    this.until = 0;
  }

  async begin() {
    const token = await this.vouch();
    const body = { token, visitor: token ? "" : this.kept() };
    const begun = await this.send("POST", "/begin", body);
    this.token = begun.token;
    this.until = begun.until * 1000;
    this.keep(begun.guest ? begun.token : "");
    return begun;
  }

  // Like ``send`` for a visitor; a token that is over is renewed once.
  async ask(method, path, body) {
    if (!this.token || Date.now() > this.until - 5000) await this.begin();
    try {
      return await this.send(method, path, body);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      this.token = "";
      await this.begin();
      return await this.send(method, path, body);
    }
  }

  async send(method, path, body) {
    const answer = await this.fetch(method, path, body);
    return await answer.json();
  }

  async fetch(method, path, body, signal) {
    const headers = { "Accept-Language": this.language };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.base + path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit", mode: "cors", referrerPolicy: "no-referrer", cache: "no-store",
    });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, problem.error ?? {}, Number(answer.headers.get("Retry-After")));
    }
    return answer;
  }

  // Events (WHATWG, server-sent events) as ``[number, event]``, to the end of the stream.
  async *events(stream, after, mark, signal) {
    const query = new URLSearchParams({ stream, after: String(after), mark });
    const answer = await this.fetch("GET", `/events?${query}`, undefined, signal);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let held = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (held + value).split("\n\n");
      held = parts.pop();
      for (const part of parts) {
        const number = /^id: (\d+)$/m.exec(part);
        const data = /^data: (.*)$/m.exec(part);
        if (data) yield [number ? Number(number[1]) : 0, JSON.parse(data[1])];
      }
    }
  }

  kept() {
    try {
      return this.store?.getItem(this.name) ?? "";
    } catch {
      return "";
    }
  }

  keep(token) {
    try {
      if (token) this.store?.setItem(this.name, token);
      else this.store?.removeItem(this.name);
    } catch {
      // A browser that keeps nothing: the visitor is a stranger again after a reload.
    }
  }
}
