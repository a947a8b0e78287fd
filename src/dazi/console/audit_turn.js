// Stepping through a turn: by keyboard, by the ticks of the bar, and by the two buttons.
(() => {
  let current = 0;
  const steps = () => [...document.querySelectorAll(".dz-step")];
  const typing = (e) => e.target.closest && e.target.closest("input, textarea, select, [contenteditable]");

  const go = (to, follow) => {
    const all = steps();
    if (!all.length) return;
    current = Math.max(0, Math.min(all.length - 1, to));
    const ticks = [...document.querySelectorAll(".dz-tick")];
    all.forEach((step, i) => {
      if (i === current) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
      step.classList.toggle("dz-step-later", i > current);
    });
    ticks.forEach((tick, i) => {
      tick.classList.toggle("dz-tick-now", i === current);
      if (i === current) tick.setAttribute("aria-current", "step");
      else tick.removeAttribute("aria-current");
    });
    const done = document.querySelector(".dz-time-done");
    if (done && ticks[current]) done.style.width = ticks[current].style.left;
    const where = document.querySelector(".dz-step-where");
    if (where) where.textContent = where.dataset.said.replace("{i}", current + 1).replace("{n}", all.length);
    if (follow) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      all[current].scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    }
  };

  document.addEventListener("click", (e) => {
    const tick = e.target.closest(".dz-tick");
    if (tick) go(Number(tick.dataset.step), true);
    else if (e.target.closest(".dz-step-back")) go(current - 1, true);
    else if (e.target.closest(".dz-step-on")) go(current + 1, true);
  });
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.altKey || e.metaKey || typing(e)) return;
    const to = {
      ArrowRight: current + 1, j: current + 1, ArrowLeft: current - 1, k: current - 1,
      Home: 0, End: Infinity,
    }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    go(to, true);
  });
  const begin = () => (steps().length ? go(steps().length - 1, false) : setTimeout(begin, 50));
  begin();
})();
