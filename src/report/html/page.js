"use strict";
// Everything from the scanned tree arrives as JSON and is put into text nodes: nothing of it can be markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const CHUNK = 100;
  const SEVERITIES = ["critical", "high", "medium", "low"];

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    for (const child of children) {
      if (child !== undefined && child !== null && child !== "") element.append(child);
    }
    return element;
  }

  const badge = (kind, text) => make("span", { class: "badge " + kind }, text || kind);
  const place = (one) => data.paths[one.path] + (one.line ? ":" + one.line : "");
  const number = (count) => count.toLocaleString("en-US");

  // A list that is built as it is looked at: twenty thousand rows at once would stall the page.
  function lazyList(parent, render) {
    const rows = make("div");
    const more = make("button", { class: "more", type: "button" });
    parent.append(rows, more);
    let items = [];
    let shown = 0;
    function grow() {
      const part = document.createDocumentFragment();
      const end = Math.min(shown + CHUNK, items.length);
      for (; shown < end; shown += 1) part.append(render(items[shown], shown));
      rows.append(part);
      more.hidden = shown >= items.length;
      more.textContent = "Show more (" + number(items.length - shown) + " left)";
    }
    more.addEventListener("click", () => {
      const last = rows.lastElementChild;
      grow();
      // The keyboard goes on where the list did.
      const next = last && last.nextElementSibling;
      const target = next && (next.querySelector("summary") || next);
      if (target && more.hidden) target.focus();
    });
    if ("IntersectionObserver" in window) {
      new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting) && shown > 0 && shown < items.length) grow();
      }, { rootMargin: "600px" }).observe(more);
    }
    return {
      rows,
      show(next) {
        items = next;
        shown = 0;
        rows.replaceChildren();
        grow();
      },
    };
  }

  // Findings.

  function code(one) {
    const block = make("pre", { tabindex: "0", "aria-label": "Code" });
    one.code.lines.forEach((text, index) => {
      const line = one.code.first + index;
      const row = make("div", null, make("span", { class: "number" }, String(line)));
      if (index === one.code.at) {
        const letters = Array.from(text);
        const [from, to] = [one.code.from, one.code.from + one.code.length];
        row.className = "at";
        row.append(letters.slice(0, from).join(""));
        if (to > from) row.append(make("mark", null, letters.slice(from, to).join("")));
        row.append(letters.slice(to).join(""));
      } else {
        row.append(text);
      }
      block.append(row);
    });
    return block;
  }

  function facts(pairs) {
    const list = make("dl");
    for (const [title, value] of pairs) {
      if (value && value.length !== 0) list.append(make("dt", null, title), make("dd", null, value));
    }
    return list;
  }

  function body(one) {
    const rule = data.rules[one.rule] || {};
    const related = (one.related || []).map((other) =>
      make("li", null, other.message + " ", make("span", { class: "where" }, place(other))));
    return make("div", { class: "body" },
      one.code && one.code.lines.length ? code(one) : null,
      facts([
        ["Why it matters", rule.why],
        ["Fix", rule.fix],
        ["Related places", related.length ? make("ul", { class: "places" }, ...related) : null],
        ["Place", place(one) + ":" + one.column],
        ["Resource", one.address],
        ["Attribute", one.attribute],
        ["Environments", (one.environments || []).join(", ")],
        ["Reported by", (one.tools || []).join(", ")],
        ["Rule", one.rule + (rule.title ? ": " + rule.title : "")],
        ["Also known as", (rule.aliases || []).join(", ")],
        ["Compliance", (rule.compliance || []).join("; ")],
        ["Fingerprint", one.fingerprint],
      ]));
  }

  function row(one) {
    const details = make("details", { class: "finding " + one.severity },
      make("summary", null,
        make("span", { class: "badges" },
          badge(one.severity),
          one.status ? badge(one.status) : null,
          one.possible ? badge("possible") : null),
        make("span", { class: "what" }, one.message, make("span", { class: "rule" }, one.rule)),
        make("span", { class: "where" }, place(one))));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(body(one));
    });
    return details;
  }

  function findings(section) {
    const compared = data.compared;
    const all = data.findings;
    for (const [index, one] of all.entries()) {
      const rule = data.rules[one.rule] || {};
      one.index = index;
      one.where = data.paths[one.path].toLowerCase();
      one.text = [one.rule, one.message, one.where, one.address, rule.title, (rule.aliases || []).join(" "), (one.tools || []).join(" ")]
        .join("\n").toLowerCase();
    }
    const search = make("input", { type: "search", placeholder: "message, rule, resource, alias", autocomplete: "off", spellcheck: "false" });
    const path = make("input", { type: "search", placeholder: "part of a path", autocomplete: "off", spellcheck: "false" });
    const rules = make("select", null, make("option", { value: "" }, "all rules"));
    const perRule = new Map();
    for (const one of all) perRule.set(one.rule, (perRule.get(one.rule) || 0) + 1);
    for (const id of [...perRule.keys()].sort()) {
      rules.append(make("option", { value: id }, id + " (" + number(perRule.get(id)) + ")"));
    }
    const order = make("select", { "aria-label": "Order" }, make("option", { value: "" }, "worst first"), make("option", { value: "path" }, "by path"));
    const tools = make("div", { class: "tools" },
      make("label", { class: "wide" }, "Search ( / )", search),
      make("label", null, "Path", path),
      make("label", null, "Rule", rules));

    const chips = make("div", { class: "chips", role: "group", "aria-label": "Severity and status" });
    const severities = new Set(SEVERITIES);
    const statuses = new Set(["new", "worse", "old"]);
    if (compared && !data.showOld) statuses.delete("old");
    function chip(name, set, count) {
      const button = make("button", { type: "button", "aria-pressed": String(set.has(name)) }, name + " " + number(count));
      button.addEventListener("click", () => {
        if (!set.delete(name)) set.add(name);
        button.setAttribute("aria-pressed", String(set.has(name)));
        apply();
      });
      chips.append(button);
    }
    for (const name of SEVERITIES) {
      const count = all.filter((one) => one.severity === name).length;
      if (count) chip(name, severities, count);
    }
    if (compared) {
      chips.append(make("span", { class: "gap" }));
      for (const name of ["new", "worse", "old"]) chip(name, statuses, all.filter((one) => one.status === name).length);
    }

    const told = make("span", { role: "status" });
    const toggle = make("button", { type: "button" }, "open all shown");
    const clear = make("button", { type: "button" }, "clear filters");
    section.append(tools, chips, make("div", { class: "status" }, told, make("span", null, clear, toggle, order)));
    const empty = make("p", { class: "empty", hidden: true });
    section.append(empty);
    const list = lazyList(section, row);

    function apply() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const part = path.value.trim().toLowerCase();
      const left = all.filter((one) =>
        severities.has(one.severity) &&
        (!one.status || statuses.has(one.status)) &&
        (!rules.value || one.rule === rules.value) &&
        (!part || one.where.includes(part)) &&
        words.every((word) => one.text.includes(word)));
      if (order.value === "path") {
        left.sort((a, b) => (a.where < b.where ? -1 : a.where > b.where ? 1 : a.line - b.line || a.index - b.index));
      }
      told.textContent = left.length === all.length
        ? number(all.length) + (all.length === 1 ? " finding" : " findings")
        : number(left.length) + " of " + number(all.length) + " findings";
      empty.hidden = left.length > 0;
      empty.textContent = !all.length ? "No findings."
        : compared && !statuses.has("old") && all.every((one) => one.status === "old") ? "Nothing new. Press “old” to see what was there before."
        : "Nothing fits these filters.";
      list.show(left);
      toggle.textContent = "open all shown";
      toggle.hidden = !left.length;
      return left;
    }
    let waiting = 0;
    const later = () => { clearTimeout(waiting); waiting = setTimeout(apply, 90); };
    search.addEventListener("input", later);
    path.addEventListener("input", later);
    rules.addEventListener("change", apply);
    order.addEventListener("change", apply);
    toggle.addEventListener("click", () => {
      const open = toggle.textContent.startsWith("open");
      for (const one of list.rows.children) one.open = open;
      toggle.textContent = open ? "close all shown" : "open all shown";
    });
    clear.addEventListener("click", () => {
      search.value = path.value = rules.value = order.value = "";
      SEVERITIES.forEach((name) => severities.add(name));
      ["new", "worse", "old"].forEach((name) => statuses.add(name));
      for (const button of chips.querySelectorAll("button")) button.setAttribute("aria-pressed", "true");
      apply();
    });
    document.addEventListener("keydown", (event) => {
      const busy = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName || "");
      if (event.key === "/" && !busy && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        select("findings");
        search.focus();
      }
    });
    const first = apply();
    // What a change makes is what the page is opened for.
    if (first.length <= 5) for (const one of list.rows.children) one.open = true;
  }

  // The other tabs.

  function plainList(items, render, note) {
    return (section) => {
      if (note) section.append(make("p", { class: "note" }, note));
      lazyList(section, render).show(items);
    };
  }

  const fixed = (one) => make("div", { class: "item" },
    badge("fixed"), " ", badge(one.severity), " ", one.message, make("div", { class: "where" }, one.rule + "  " + place(one)));
  const proposal = (one) => make("div", { class: "item" }, one.message, make("div", { class: "where" }, place(one)));
  const problem = (one) => make("div", { class: "item" },
    badge(one.closes ? "closes" : "told", one.kind), " ", one.message,
    one.help ? make("div", { class: "note" }, one.help) : null,
    one.path !== undefined ? make("div", { class: "where" }, place(one)) : null);
  const suppressed = (one) => make("div", { class: "item" },
    badge(one.severity), " ", one.message,
    make("div", null, one.reason || "no reason given"),
    make("div", { class: "where" }, [one.rule, place(one), "by " + one.dialect, one.owner && "owner " + one.owner, one.until && "until " + one.until]
      .filter(Boolean).join("  ")));

  function counts(section) {
    const list = make("dl", { class: "facts" });
    for (const [title, value] of data.counts) list.append(make("dt", null, title), make("dd", null, value));
    section.append(list);
    if (data.skipped.length) {
      section.append(make("h2", null, "Files left unread on purpose"));
      lazyList(section, (one) => make("div", { class: "item" }, one[1], make("div", { class: "where" }, one[0]))).show(data.skipped);
    }
  }

  const TABS = [
    ["findings", "Findings", data.findings.length, findings],
    ["proposed", "Proposed", data.proposed.length, plainList(data.proposed, proposal, "The change proposes this; it takes effect once merged.")],
    ["fixed", "Fixed", data.fixed.length, plainList(data.fixed, fixed)],
    ["problems", "Problems", data.problems.length, plainList(data.problems, problem)],
    ["suppressed", "Suppressed", data.suppressed.length, plainList(data.suppressed, suppressed)],
    ["counts", "Counts", 0, counts],
  ].filter(([id, , count]) => count || id === "findings" || id === "counts");

  const tabs = new Map();
  function select(id) {
    for (const [name, tab] of tabs) {
      const chosen = name === id;
      tab.button.setAttribute("aria-selected", String(chosen));
      tab.button.tabIndex = chosen ? 0 : -1;
      tab.section.hidden = !chosen;
      if (chosen && !tab.built) {
        tab.built = true;
        tab.build(tab.section);
      }
    }
  }

  const bar = make("div", { class: "tabs", role: "tablist", "aria-label": "Parts of the report" });
  const main = document.querySelector("main");
  main.append(bar);
  for (const [id, title, count, build] of TABS) {
    const button = make("button", { type: "button", role: "tab", id: "tab-" + id, "aria-controls": id },
      title + (count ? " " + number(count) : ""));
    const section = make("section", { id, role: "tabpanel", "aria-labelledby": "tab-" + id });
    button.addEventListener("click", () => select(id));
    bar.append(button);
    main.append(section);
    tabs.set(id, { button, section, build, built: false });
  }
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const ids = [...tabs.keys()];
    const at = ids.findIndex((id) => tabs.get(id).button === document.activeElement);
    const next = ids[(at + step + ids.length) % ids.length];
    select(next);
    tabs.get(next).button.focus();
  });
  select("findings");
})();
