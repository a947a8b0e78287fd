// From the script element to the widget. ``Dazi`` is what the site's own scripts may use.
const tag = document.currentScript;
const options = { ...(tag?.dataset ?? {}) };
let vouch = async () => options.token ?? "";
let panel = null;

const start = () => {
  if (panel || !tag || !options.site) return;
  const spoken = options.language || document.documentElement.lang || navigator.language || "zh";
  const language = spoken.toLowerCase().startsWith("zh") ? "zh" : "en";
  let store = null;
  try {
    store = options.keep === "local" ? localStorage : options.keep === "none" ? null : sessionStorage;
  } catch {
    // The browser keeps nothing here.
  }
  const host = document.createElement("dazi-widget");
  host.lang = language === "zh" ? "zh-CN" : "en";
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const frame = make("div", { class: `dazi ${options.position === "left" ? "left" : "right"}` });
  if (CSS.supports("color", options.color ?? "")) frame.style.setProperty("--main", options.color);
  root.append(frame);
  const client = new Client(new URL(tag.src).origin, options.site, language, store, () => vouch());
  panel = new Panel(frame, client, WORDS[language], options);
  document.body.append(host);
};

// ``setToken``: a signed token, a function that gives one (also asynchronously), or "" after signing out.
window.Dazi = Object.freeze({
  open: () => panel?.toggle(true),
  close: () => panel?.toggle(false),
  setToken: (token) => {
    vouch = async () => (typeof token === "function" ? await token() : token) || "";
    return panel?.again();
  },
});

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
